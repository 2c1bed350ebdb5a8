"""One result is one line, whole, in the format that DESIGN fixes."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.json_lines import JsonLines
from tests.runtime.clips import grey

FOUND = Detections(
    np.array([[1.123456, 2, 30.0049, 40]], np.float32),
    np.array([0.87654321], np.float32),
    np.array([1]),
    ("person", "stop sign"),
)
SEEN = Result(
    "front",
    CameraState.LIVE,
    Frame("front", 7, 123_456_789, grey(0)),
    FOUND,
    age_ns=12_345_678,
    dropped=2,
    stages_ns={"decode": 4_000_000, "engine": 8_345_678},
)
GONE = Result("front", CameraState.LOST, None, Detections.none(FOUND.names), dropped=1)


def test_a_result_is_one_line_of_the_agreed_format(tmp_path: Path) -> None:
    with JsonLines(str(tmp_path / "out.jsonl")) as lines:
        lines.write(SEEN)
    text = (tmp_path / "out.jsonl").read_text()
    assert text == (
        '{"camera":"front","index":7,"captured_ns":123456789,"age_ms":12.346,"state":"LIVE",'
        '"dropped":2,"stages_ms":{"decode":4.0,"engine":8.346},"detections":'
        '[{"box":[1.12,2.0,30.0,40.0],"score":0.8765,"class":"stop sign","track":null}]}\n'
    )


def test_a_camera_that_is_not_live_has_neither_index_nor_age_nor_detections(
    tmp_path: Path,
) -> None:
    with JsonLines(str(tmp_path / "out.jsonl")) as lines:
        lines.write(GONE)
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {
        "camera": "front",
        "index": None,
        "captured_ns": None,
        "age_ms": None,
        "state": "LOST",
        "dropped": 1,
        "stages_ms": {},
        "detections": [],
    }


def test_every_line_is_on_record_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with JsonLines(str(path)) as lines:
        for count in range(1, 4):
            lines.write(SEEN)
            assert len(path.read_text().splitlines()) == count


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        JsonLines(str(tmp_path / "nowhere" / "out.jsonl"))


WRITE_UNTIL_FULL = """
import sys
from stopline.runtime.sinks.json_lines import JsonLines
from tests.runtime.sinks.test_json_lines import SEEN
with JsonLines(sys.argv[1]) as lines:
    while True:
        lines.write(SEEN)
"""


def test_a_full_disk_is_an_error_and_the_file_ends_on_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    ended = subprocess.run(
        [sys.executable, "-c", WRITE_UNTIL_FULL, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(f"cannot write {str(path)!r}: File too large")
    lines = path.read_bytes()
    assert 9_000 < len(lines) <= 10_000
    assert lines.endswith(b"}\n")
    assert all(json.loads(line)["index"] == 7 for line in lines.splitlines())


def test_a_reader_that_went_away_is_a_broken_pipe() -> None:
    code = WRITE_UNTIL_FULL.replace("sys.argv[1]", "'-'")
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline().endswith(b"}\n")
    child.stdout.close()
    assert b"BrokenPipeError" in child.stderr.read()
    child.stderr.close()
    assert child.wait(60) == 1
