"""`stopline profile` as a user types it: one short real run, and what can be made of its report."""

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from stopline.devices.latency.cold_start import cold_start
from stopline.devices.latency.report import Report, Sessions, read_report
from stopline.devices.latency.schema import WHERE, schema_text
from tests.devices.latency.reports import SUBJECT, report, sessions
from tests.runtime.tiny import tiny_bundle

PROFILE = (sys.executable, "-m", "stopline", "profile")
SCHEMA = json.loads(WHERE.read_text())


def profile(*words: object) -> subprocess.CompletedProcess[str]:
    command = [*PROFILE, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def check(document: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder with what a real run of a tiny bundle wrote, and what it printed."""
    folder = tmp_path_factory.mktemp("profile")
    bundle = tiny_bundle(folder / "tiny")
    done = profile(
        *(bundle.path, "--source", "sim://road?width=96&height=64&fps=50&density=0"),
        *("--backend", "onnxruntime", "--threads", 1, "--seconds", 0.6, "--streams", 3),
        *("--cold-starts", 1, "--json", folder / "a.json", "--csv", folder / "a.csv"),
        *("--html", folder / "a.html"),
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def written(where: Path, **about: Any) -> Path:
    """A report that nobody measured."""
    where.write_bytes(msgspec.json.encode(report(**about)))
    return where


def test_the_committed_schema_is_that_of_the_report() -> None:
    assert WHERE.read_text() == schema_text(), "python -m stopline.devices.latency.schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_json_of_a_real_run_validates(run: tuple[Path, str]) -> None:
    document = json.loads((run[0] / "a.json").read_bytes())
    check(document)
    for wrong in ({"engine": 3}, {"surprise": 1}, {"scenarios": None}):
        with pytest.raises(jsonschema.ValidationError):
            check({**document, **wrong})
    with pytest.raises(jsonschema.ValidationError):
        check({name: part for name, part in document.items() if name != "conditions"})


def test_the_three_numbers_are_three(run: tuple[Path, str]) -> None:
    found = read_report((run[0] / "a.json").read_bytes(), "a.json")
    engine, pipeline, age = found.engine, found.pipeline, found.capture_to_result
    assert engine is not None
    assert pipeline is not None
    assert age is not None
    single, multi = found.scenarios.single_stream, found.scenarios.multi_stream
    assert single is not None
    assert multi is not None
    assert engine.p50_ms is not None
    assert single.p50_ms is not None
    assert engine.p50_ms < single.p50_ms  # letterbox and NMS come on top
    assert (multi.streams, multi.headline, single.headline) == (3, "p99_ms", "p90_ms")
    assert pipeline.fps is not None
    assert len(engine.samples_ms) == engine.n


def test_every_frame_of_the_camera_is_accounted_for(run: tuple[Path, str]) -> None:
    camera = read_report((run[0] / "a.json").read_bytes(), "a.json").scenarios.camera
    assert camera is not None
    assert (camera.sent, camera.offered_fps, camera.replayed) == (30, 50, True)
    assert camera.answered + camera.dropped == camera.sent
    assert camera.deadline_ms == 20
    assert not camera.enforced


def test_conditions_layers_and_costs_are_told(run: tuple[Path, str]) -> None:
    found = read_report((run[0] / "a.json").read_bytes(), "a.json")
    assert found.subject.bundle == "tiny-red"
    assert len(found.subject.model_sha256) == 64
    assert "onnxruntime" in found.conditions.libraries
    assert found.layers is not None
    assert sum(layer.share for layer in found.layers.layers) == pytest.approx(1)
    assert found.layers.reformat_share == pytest.approx(
        sum(layer.share for layer in found.layers.layers if layer.reformat)
    )
    assert found.cold_start_ms is not None
    parts = found.cold_start_ms
    assert parts.process + parts.imports + parts.load + parts.first_frame == pytest.approx(
        parts.total
    )
    assert found.sessions is not None
    assert len(found.sessions.p50_ms) == 24
    assert min(found.sessions.p50_ms) > 0
    assert set(found.stages) >= {"decode", "wait", "letterbox", "engine", "nms", "track", "sinks"}
    assert {one.part for one in found.windows} == {"engine", "multi_stream", "pipeline", "camera"}
    assert 0 < found.overhead.per_run_us < 5000


def test_the_table_says_it_to_people(run: tuple[Path, str]) -> None:
    for words in ("engine", "pipeline", "capture_to_result", "missed the deadline of 20 ms"):
        assert words in run[1]
    assert "profiling itself:" in run[1]


def test_csv_has_a_row_for_each_figure(run: tuple[Path, str]) -> None:
    with (run[0] / "a.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    found = read_report((run[0] / "a.json").read_bytes(), "a.json")
    assert found.engine is not None
    told = {(row["part"], row["figure"]): row["value"] for row in rows}
    assert float(told["engine", "p50_ms"]) == found.engine.p50_ms
    assert told["engine", "p999_ms"] == ""  # not known is empty


def test_the_page_is_written(run: tuple[Path, str]) -> None:
    assert (run[0] / "a.html").read_text().startswith("<!doctype html>")


def test_a_report_is_shown_again_without_measuring(run: tuple[Path, str], tmp_path: Path) -> None:
    done = profile("--from", run[0] / "a.json", "--html", tmp_path / "again.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.html").read_text() == (run[0] / "a.html").read_text()
    assert done.stdout == run[1]


def test_a_broken_budget_exits_1(run: tuple[Path, str], tmp_path: Path) -> None:
    broken, kept = tmp_path / "broken.json", tmp_path / "kept.json"
    broken.write_text('{"engine": {"p50_ms": 0}}')
    kept.write_text('{"engine": {"p50_ms": 60000}, "memory_mib": {"peak": 100000}}')
    done = profile("--from", run[0] / "a.json", "--budget", broken)
    assert (done.returncode, "BROKEN" in done.stdout) == (1, True)
    assert profile("--from", run[0] / "a.json", "--budget", kept).returncode == 0


def test_compare_says_slower_and_exits_1(tmp_path: Path) -> None:
    a = written(tmp_path / "a.json")
    slow = Sessions(runs=320, minus_waiting=True, p50_ms=sessions(25.8))
    b = written(tmp_path / "b.json", sessions=slow)
    done = profile("--compare", a, b, "--json", tmp_path / "verdict.json")
    assert (done.returncode, "B is slower" in done.stdout) == (1, True)
    verdict = json.loads((tmp_path / "verdict.json").read_bytes())
    assert verdict["comparison"]["verdict"] == "slower"
    done = profile("--compare", a, a)
    assert (done.returncode, "cannot tell" in done.stdout) == (0, True)


def test_different_conditions_are_refused_unless_told_to(tmp_path: Path) -> None:
    a = written(tmp_path / "a.json")
    other = msgspec.structs.replace(report().conditions, governors=["schedutil"])
    b = written(tmp_path / "b.json", conditions=other)
    done = profile("--compare", a, b)
    assert done.returncode == 1
    assert "governors: ['performance'] against ['schedutil']" in done.stderr
    assert "--anyway" in done.stderr
    done = profile("--compare", a, b, "--anyway")
    assert (done.returncode, "different conditions" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--compare", "a", "b", "--html", "x"), "--compare only compares two reports"),
        (("--against", "colour=red"), "wanted bundle=…"),
        (("--against", "threads=many"), "a whole number"),
        (("--from", "a", "--against", "b"), "--from measures nothing"),
    ],
)
def test_options_that_mean_nothing_exit_2(words: tuple[str, ...], says: str) -> None:
    done = profile(*words)
    assert (done.returncode, says in done.stderr) == (2, True)


def test_what_is_no_report_is_refused_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema": 1}')
    done = profile("--from", tmp_path / "a.json")
    assert done.returncode == 1
    assert "missing required field" in done.stderr


def test_a_cold_start_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"a cold start failed: .*no bundle"):
        cold_start(SUBJECT, str(tmp_path / "no-such"), 1)
    assert cold_start(SUBJECT, "", 0) is None


def test_read_report_takes_what_it_wrote() -> None:
    assert read_report(msgspec.json.encode(report()), "it") == report()
    assert isinstance(report(), Report)
    assert importlib.util.find_spec("jsonschema") is not None
