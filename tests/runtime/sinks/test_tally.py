"""What a run came to, and how it is shown."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.live_table import LiveTable
from stopline.runtime.sinks.tally import Tally, percentile, summary_lines
from tests.runtime.clips import grey

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


def test_the_table_shows_what_a_lost_camera_does_not_see() -> None:
    times = iter([0, 100 * MS])
    tally, now = Tally(lambda: next(times)), [0]
    terminal = StringIO()
    console = Console(file=terminal, width=120, force_terminal=True)
    with LiveTable(tally, console, lambda: now[0]) as table:
        for result in [seen([0, 0], 10), seen([0, 0, 1], 10), LOST]:
            tally.write(result)
            now[0] += 10**9
            table.write(result)
    text = terminal.getvalue()
    assert "2 person, 1 stop sign" in text
    last = [line for line in text.splitlines() if "front" in line][-1]
    assert "LOST" in last
    assert "person" not in last
