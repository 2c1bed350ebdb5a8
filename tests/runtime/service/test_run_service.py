"""`stopline run` as a service, in real processes: reloaded, watched, degraded, on a full disk."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.clips import write_clip
from tests.runtime.small_disk import small_disk
from tests.runtime.tiny import red_square

RUN = [sys.executable, "-m", "stopline", "run"]


@pytest.fixture(scope="module")
def red_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A red square that stays where it is, for 40 s at 25 fps."""
    images = [red_square((64, 96), (8, 8, 40, 40))] * 1000
    return str(write_clip(tmp_path_factory.mktemp("clip") / "red.mp4", images, fps=25))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 64) as folder:
        yield folder


def started(tiny: str, clip: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    command = [*RUN, tiny, "--backend", "onnxruntime", "--threads", "1", "--source", clip]
    return subprocess.Popen(
        [*command, "--realtime", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def stopped(child: "subprocess.Popen[str]") -> tuple[str, str]:
    """By SIGTERM, in order and soon."""
    child.send_signal(signal.SIGTERM)
    return child.communicate(timeout=10)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """But for one that is being written."""
    return [json.loads(line) for line in path.read_text().splitlines(True) if line.endswith("\n")]


def events_of(path: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line.get("event") == kind]


def ids_of(alerts: list[dict[str, Any]], phase: str) -> set[str]:
    return {alert["id"] for alert in alerts if alert["phase"] == phase}


def wait_for(condition: Callable[[], object], child: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def rules(min_score: float, **rule: Any) -> str:
    kept = {"name": "red stands", "class": "red", "held_s": 0.2, **rule}
    return json.dumps({"version": 1, "rules": [kept], "min_score": {"red": min_score}})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (["--degrade"], "--degrade needs --deadline-ms"),
        (["--deadline-ms", "50", "--fallback", "road-nano"], "--fallback needs --degrade"),
        (["--json-mib", "1"], "--json-mib needs --json"),
        (["--json", "-", "--json-mib", "1"], "--json-mib needs --json FILE"),
        (["--clips", "clips"], "--clips needs --rules or --view"),
        (["--deadline-ms", "0"], "--deadline-ms"),
        (["--view", "somewhere"], "somewhere"),
        (["--metrics", "99999"], "99999"),
        (["--mqtt", "http://broker"], "http://broker"),
    ],
)
def test_options_that_contradict_each_other_are_told(
    tiny: str, red_clip: str, wrong: list[str], reason: str
) -> None:
    child = started(tiny, red_clip, *wrong)
    _, said = child.communicate(timeout=20)
    assert child.returncode in (1, 2)
    assert reason in said


def test_rules_are_read_again_and_a_broken_file_changes_nothing(
    tiny: str, red_clip: str, tmp_path: Path
) -> None:
    out, file = tmp_path / "out.jsonl", tmp_path / "rules.json"
    file.write_text(rules(0.3))
    child = started(tiny, red_clip, "--rules", str(file), "--json", str(out))
    try:
        wait_for(lambda: out.exists() and events_of(out, "alert"), child)
        file.write_text('{"version": 1, "rules": [{"name": "x", "class": "rde"}]}')
        child.send_signal(signal.SIGHUP)
        wait_for(lambda: events_of(out, "reloaded"), child)
        seen = len(lines_of(out))
        wait_for(lambda: len(lines_of(out)) > seen + 5, child)
        assert any(line.get("detections") for line in lines_of(out)[-3:])
        file.write_text(rules(1.0))  # nothing is that certain
        child.send_signal(signal.SIGHUP)
        wait_for(lambda: len(events_of(out, "reloaded")) == 2, child)
        wait_for(lambda: lines_of(out)[-1].get("detections") == [], child)
        _, said = stopped(child)
    finally:
        child.kill()
    assert (child.returncode, said) == (0, "")
    broken, mended = events_of(out, "reloaded")
    assert "'rde'" in broken["error"]
    assert "'red'" in broken["error"]
    assert mended["error"] is None
    first, *_ = alerts = events_of(out, "alert")
    assert (first["phase"], first["rule"], first["name"]) == ("began", "red stands", "red")
    assert ids_of(alerts, "began") == ids_of(alerts, "ended")


def test_an_alert_that_still_holds_ends_with_the_run(
    tiny: str, red_clip: str, tmp_path: Path
) -> None:
    out, file = tmp_path / "out.jsonl", tmp_path / "rules.json"
    file.write_text(rules(0.3))
    child = started(tiny, red_clip, "--rules", str(file), "--json", str(out), "--quiet")
    try:
        wait_for(lambda: out.exists() and events_of(out, "alert"), child)
        stopped(child)
    finally:
        child.kill()
    alerts = events_of(out, "alert")
    assert ids_of(alerts, "began") == ids_of(alerts, "ended")
    assert {alert["why"] for alert in alerts if alert["phase"] == "ended"} == {"run over"}


def test_a_full_disk_stops_no_camera_and_is_told(tiny: str, red_clip: str, disk: Path) -> None:
    full = disk / "full.jsonl"
    child = started(tiny, red_clip, "--json", str(full), "--metrics", "0")
    assert child.stderr is not None
    try:
        address = child.stderr.readline().rpartition(" ")[2].strip()
        wait_for(lambda: full.exists() and full.stat().st_size > 60_000, child)
        at_full = scraped(address, "stopline_results_total")
        wait_for(lambda: scraped(address, "stopline_results_total") > at_full + 20, child)
        assert scraped(address, "stopline_sink_lost_total") > 0
        summary, said = stopped(child)
    finally:
        child.kill()
    assert child.returncode == 1
    assert "json: " in said
    assert "not written" in said
    assert "No space left" in said
    assert "lost" in summary
    assert len(lines_of(full)) > 20  # each of them whole
    assert full.read_bytes().endswith(b"\n")


def scraped(address: str, name: str) -> float:
    from urllib.request import urlopen

    with urlopen(address, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_systemd_hears_that_the_run_is_ready_alive_and_stopping(
    tiny: str, red_clip: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        child = started(tiny, red_clip, "--quiet", **told)
        try:
            assert manager.recv(999).startswith(b"READY=1\nSTATUS=")
            assert manager.recv(999).startswith(b"WATCHDOG=1\n")
            # Stopped in the middle of its work it is not alive, and nothing says that it is.
            child.send_signal(signal.SIGSTOP)
            manager.settimeout(1.2)
            with pytest.raises(TimeoutError):
                while True:
                    manager.recv(999)
            child.send_signal(signal.SIGCONT)
            manager.settimeout(20)
            while (heard := manager.recv(999)) != b"WATCHDOG=1\nSTATUS=1 of 1 cameras LIVE":
                assert heard.startswith(b"WATCHDOG=1\n")
            stopped(child)
            manager.settimeout(0.2)
            while manager.recv(999) != b"STOPPING=1":
                pass
        finally:
            child.kill()
    assert child.returncode == 0
