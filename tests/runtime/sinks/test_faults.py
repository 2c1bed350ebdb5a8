"""A real run whose disk fills, whose broker dies, whose clients are mute, and which is killed."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.runtime.clips import until
from tests.runtime.sinks.mosquitto import Mosquitto, listening, mosquitto
from tests.runtime.sinks.test_recording import played
from tests.runtime.small_disk import fill, small_disk
from tests.runtime.tiny import tiny_bundle

FPS = 15
CAMERA = f"sim://road?width=320&height=180&fps={FPS}"


class Run:
    """`stopline run` on a simulated camera with every sink that can fail."""

    def __init__(self, folder: Path, disk: Path, broker: Mosquitto) -> None:
        tiny_bundle(folder / "tiny")
        self.json, self.video = disk / "out.jsonl", folder / "out.mp4"
        command = [sys.executable, "-m", "stopline", "run", str(folder / "tiny")]
        command += ["--threads", "1", "--backend", "onnxruntime", "--quiet", "--source", CAMERA]
        command += ["--json", str(self.json), "--record", str(self.video), "--metrics", "0"]
        command += ["--mqtt", f"mqtt://127.0.0.1:{broker.port}"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.url = self.process.stderr.readline().split()[-1]

    def metric(self, name: str, **labels: str) -> float:
        with urllib.request.urlopen(self.url, timeout=5) as page:
            families = text_string_to_metric_families(page.read().decode())
            samples = [sample for family in families for sample in family.samples]
        wanted = labels.items()
        found = [s.value for s in samples if s.name == name and wanted <= s.labels.items()]
        return sum(found)

    def lost(self, sink: str) -> float:
        return self.metric("stopline_sink_lost_total", sink=sink)

    def results_within(self, seconds: float) -> float:
        before = self.metric("stopline_results_total")
        time.sleep(seconds)
        return self.metric("stopline_results_total") - before

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.json.read_bytes().splitlines()]


@contextmanager
def running(folder: Path, disk: Path, broker: Mosquitto) -> Iterator[Run]:
    run = Run(folder, disk, broker)
    try:
        until(lambda: run.metric("stopline_results_total") > 5, within_s=20)
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        assert run.process.stderr is not None
        run.process.stderr.close()


def mute_clients(url: str, count: int) -> list[socket.socket]:
    """They ask, and never read the answer."""
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        clients.append(client)
    return clients


@pytest.mark.journey
def test_detection_goes_on_counters_tell_and_files_play(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 2048) as disk,
        mosquitto(tmp_path) as broker,
        running(tmp_path, disk, broker) as run,
    ):
        well = run.results_within(2)
        assert well > 2 * FPS * 0.7
        assert run.lost("json") == run.lost("mqtt") == 0
        ballast = fill(disk)
        broker.kill()
        clients = mute_clients(run.url, 8)
        until(lambda: run.lost("json") > 0 and run.lost("mqtt") > 0)
        assert run.results_within(2) > well * 0.8
        written = len(run.lines())
        ballast.unlink()
        broker.start()
        for client in clients:
            client.close()
        with listening(broker.port) as listener:
            until(lambda: len(run.lines()) > written + FPS)
            until(lambda: any(topic.endswith("/result") for topic, _, _ in listener.heard))
            until(lambda: sum('"sink"' in told for told in listener.of("stopline/event")) >= 4)
            run.process.send_signal(signal.SIGKILL)
            run.process.wait()
            until(lambda: listener.of("stopline/status")[-1] == "offline", within_s=20)
        told = [(line["sink"], line["error"] is None) for line in run.lines() if "event" in line]
        assert ("json", True) in told
        results = [line for line in run.lines() if "event" not in line]
        answered = sum(line["index"] is not None for line in results)
        assert answered + sum(line["dropped"] for line in results) == results[-1]["index"] + 1
        held = len(played(tmp_path / "out.partial.mp4"))
        assert held > results[-1]["index"] - 3 * 12
