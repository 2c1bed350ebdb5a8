"""What a run came to, and how it is shown."""

import re
from dataclasses import replace
from io import StringIO

import msgspec
import numpy as np
import pytest
from rich.console import Console

from stopline.runtime.detections import Detections
from stopline.runtime.events import Event, SinkTrouble, Step
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.live_table import LiveTable
from stopline.runtime.sinks.tally import Tally, percentile, summary_lines, trouble_lines
from tests.runtime.clips import grey
from tests.runtime.sinks.giving import alert

NAMES = ("person", "stop sign")
MS = 1_000_000


def seen(classes: list[int], age_ms: int, dropped: int = 0) -> Result:
    count = len(classes)
    boxes, scores = np.zeros((count, 4), np.float32), np.ones(count, np.float32)
    found = Detections(boxes, scores, np.array(classes, np.int64), NAMES)
    frame = Frame("front", 0, 0, grey(0))
    return Result("front", CameraState.LIVE, frame, found, age_ns=age_ms * MS, dropped=dropped)


LOST = Result("front", CameraState.LOST, None, Detections.none(NAMES), dropped=3)


def test_frames_drops_and_classes_are_counted() -> None:
    times = iter([0, 100 * MS, 200 * MS])
    tally = Tally(lambda: next(times))
    for result in [seen([0, 0, 1], 10), seen([0], 20, dropped=2), seen([], 30), LOST]:
        tally.write(result)
    assert list(summary_lines("front", tally)) == [
        "front: 3 frames, 10.0 a second, 5 dropped, LOST",
        "  seen: person in 2, stop sign in 1",
        "  age: p50 20.0 ms, p99 30.0 ms (n=3)",
    ]


def test_a_camera_that_never_came_is_told_without_numbers_that_nobody_measured() -> None:
    assert list(summary_lines("front", Tally())) == [
        "front: 0 frames, 0 dropped, CONNECTING",
        "  seen: nothing",
    ]


@pytest.mark.parametrize(
    ("values", "share", "value"),
    [([], 0.5, None), ([7.0], 0.99, 7), ([3.0, 1.0, 2.0, 4.0], 0.5, 2), ([1.0, 2.0], 0.99, 2)],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], share: float, value: float | None
) -> None:
    assert percentile(values, share) == value


def test_what_missed_the_deadline_is_shown_where_one_was_given_or_something_did() -> None:
    for deadline_s, missed, shown in [
        (None, 0, "0 dropped, LIVE"),
        (0.1, 0, "0 dropped (0 past the deadline), LIVE"),
        (None, 2, "2 dropped (2 past the deadline), LIVE"),
    ]:
        tally = Tally(lambda: 0, deadline_s)
        tally.write(replace(seen([], 10), dropped=missed, missed=missed))
        assert next(summary_lines("front", tally)) == f"front: 1 frames, {shown}"


def test_alerts_are_counted_when_they_begin_and_the_rest_is_told_of_the_whole_run() -> None:
    tally = Tally(lambda: 0)
    assert list(trouble_lines(tally)) == []
    tally.write(seen([], 10))
    events: list[Event] = [alert(1), alert(2), alert(3, rule="far"), STEPPED, BACK, FAILED]
    for event in events:
        tally.tell(event)
    tally.tell(msgspec.structs.replace(alert(1), phase="ended"))
    assert "  alerts: near 2, far 1" in summary_lines("front", tally)
    assert list(trouble_lines(tally)) == [
        "degraded: up to level 2, at the end level 0 (all)",
        "mqtt: 7 results and events lost: no broker",
    ]
    tally.tell(SinkTrouble(at_ns=0, utc="", sink="mqtt", error=None, lost=9))
    assert list(trouble_lines(tally))[1:] == ["mqtt: 9 results and events lost, works again"]


STEPPED = Step(at_ns=0, utc="", level=2, rung="half rate", why="late")
BACK = Step(at_ns=0, utc="", level=0, rung="all", why="cool")
FAILED = SinkTrouble(at_ns=0, utc="", sink="mqtt", error="no broker", lost=7)


def shown(terminal: StringIO) -> list[str]:
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    return [line for line in plain.splitlines() if line.strip()]


def test_the_table_shows_what_a_lost_camera_does_not_see() -> None:
    tally, now = Tally(), [0]
    terminal = StringIO()
    console = Console(file=terminal, width=120, force_terminal=True)
    with LiveTable(tally, console, lambda: now[0]) as table:
        for result in [seen([0, 0], 10), seen([0, 0, 1], 10), LOST]:
            now[0] += 10**9
            table.write(result)
    text = terminal.getvalue()
    assert "2 person, 1 stop sign" in text
    assert "alerts" not in text
    assert "missed" not in text
    last = [line for line in shown(terminal) if "front" in line][-1]
    assert "LOST" in last
    assert "person" not in last


def test_the_table_shows_misses_alerts_degradation_and_what_sinks_lost() -> None:
    now = [0]
    terminal = StringIO()
    console = Console(file=terminal, width=120, force_terminal=True)
    with LiveTable(Tally(deadline_s=0.1), console, lambda: now[0]) as table:
        table.write(replace(seen([0], 10), dropped=3, missed=2))
        events: list[Event] = [alert(), STEPPED, FAILED]
        for event in events:
            now[0] += 10**9
            table.tell(event)
    text = terminal.getvalue()
    row = [line for line in shown(terminal) if "front" in line][-1]
    assert row.split()[-5:] == ["3", "2", "1", "1", "person"]
    assert "missed" in text
    assert "alerts" in text
    assert "degraded to level 2: half rate" in text
    assert "mqtt fails: no broker" in text
