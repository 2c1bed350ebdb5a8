"""One result is one line, whole, in the format that DESIGN fixes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.detections import Detections
from stopline.runtime.events import SinkTrouble
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.behind import SETTLED_NS, Behind
from stopline.runtime.sinks.json_lines import LOOK_EVERY_NS, PIECES, JsonLines
from tests.runtime.clips import grey, until
from tests.runtime.sinks.giving import alert
from tests.runtime.small_disk import fill, small_disk

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
    missed=1,
    stages_ns={"decode": 4_000_000, "engine": 8_345_678},
)
GONE = Result("front", CameraState.LOST, None, Detections.none(FOUND.names), dropped=1)


def test_a_result_is_one_line_of_the_agreed_format(tmp_path: Path) -> None:
    with JsonLines(str(tmp_path / "out.jsonl")) as lines:
        lines.write(SEEN)
    text = (tmp_path / "out.jsonl").read_text()
    assert text == (
        '{"camera":"front","index":7,"captured_ns":123456789,"age_ms":12.346,"state":"LIVE",'
        '"dropped":2,"missed":1,"stages_ms":{"decode":4.0,"engine":8.346},"detections":'
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
        "missed": 0,
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
import resource, sys
from stopline.runtime.sinks.json_lines import JsonLines
from tests.runtime.sinks.test_json_lines import SEEN
# Here and not before the imports: it would also cut the bytecode that they write.
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with JsonLines(sys.argv[1]) as lines:
    while True:
        lines.write(SEEN)
"""


def test_a_full_disk_is_an_error_and_the_file_ends_on_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    ended = subprocess.run(
        [sys.executable, "-c", WRITE_UNTIL_FULL, str(path)],
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


def test_an_event_is_a_line_that_says_which_it_is(tmp_path: Path) -> None:
    with JsonLines(str(tmp_path / "out.jsonl")) as lines:
        lines.write(GONE)
        lines.tell(alert())
        lines.tell(SinkTrouble(at_ns=1, utc="", sink="mqtt", error=None, lost=3))
    lines_read = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ["event" in line for line in lines_read] == [False, True, True]
    assert lines_read[1]["event"] == "alert"
    assert lines_read[1]["box"] == [1, 2, 3, 4]
    assert lines_read[2]["event"] == "sink"
    assert lines_read[2]["error"] is None


def test_all_pieces_together_never_outgrow_their_room_and_no_line_is_split(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    most = 20_000
    largest = 0
    with JsonLines(str(path), most_mib=most / (1 << 20)) as lines:
        for index in range(500):
            lines.write(replace(SEEN, dropped=index))
            largest = max(largest, sum(file.stat().st_size for file in tmp_path.iterdir()))
    pieces = [tmp_path / f"out.jsonl.{nth}" for nth in range(PIECES - 1, 0, -1)] + [path]
    assert sorted(tmp_path.iterdir()) == sorted(pieces)
    assert 0.7 * most < largest <= most
    told = [
        json.loads(line)["dropped"] for piece in pieces for line in piece.read_bytes().splitlines()
    ]
    assert told == list(range(500 - len(told), 500))
    assert len(told) > 50


def test_a_new_run_keeps_the_pieces_of_the_one_before_where_it_turns_them_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.jsonl"
    for run in range(3):
        with JsonLines(str(path), most_mib=1) as lines:
            lines.write(replace(SEEN, dropped=run))
    newest_first = [path, tmp_path / "out.jsonl.1", tmp_path / "out.jsonl.2"]
    assert [json.loads(file.read_text())["dropped"] for file in newest_first] == [2, 1, 0]
    with JsonLines(str(path)) as lines:
        lines.write(SEEN)
    assert len(path.read_text().splitlines()) == 1


def test_a_file_that_logrotate_moved_is_followed_by_a_new_one(tmp_path: Path) -> None:
    path, moved, now = tmp_path / "out.jsonl", tmp_path / "out.jsonl-2026", [0]
    with JsonLines(str(path), clock=lambda: now[0]) as lines:
        lines.write(SEEN)
        path.rename(moved)
        lines.write(SEEN)
        now[0] += LOOK_EVERY_NS
        lines.write(SEEN)
        assert (len(moved.read_text().splitlines()), len(path.read_text().splitlines())) == (2, 1)
        os.truncate(path, 0)  # copytruncate
        lines.write(SEEN)
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [7]


def test_on_a_full_disk_every_line_is_whole_and_writing_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    told: list[SinkTrouble] = []
    with small_disk(tmp_path / "disk", 64) as disk:
        path = disk / "out.jsonl"
        ballast = fill(disk)
        os.truncate(ballast, ballast.stat().st_size - 8192)  # room for some lines
        now = [0]
        sink = Behind(
            JsonLines(str(path)), clock=lambda: now[0], on_trouble=told.append, most_waiting=1000
        )
        for _ in range(100):
            sink.write(SEEN)
        until(lambda: sink.counters.written + sink.counters.lost == 100)
        assert [event.error for event in told] == [
            f"cannot write {str(path)!r}: No space left on device"
        ]
        before = path.read_bytes().splitlines()
        assert 0 < len(before) == sink.counters.written < 100
        assert path.read_bytes().endswith(b"}\n")
        ballast.unlink()
        now[0] += 10 * SETTLED_NS
        sink.write(SEEN)
        sink.close()
        after = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(after) == len(before) + 1
    assert sum((line["index"] is not None) + line["dropped"] for line in after) == 101 * 3
    assert [(event.error, event.lost) for event in told[1:]] == [(None, sink.counters.lost)]
