"""Tracks keep their numbers while frames are lost, and never invent an object."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stopline.runtime.tracking.motion import Motion
from stopline.runtime.tracking.pairing import best_pairs
from stopline.runtime.tracking.tracker import Tracker, TrackerSettings
from tests.runtime.tracking.objects import FRAME, SECOND, found, walking


def told_ids(frames: list[int], speed: float = 60.0) -> set[int]:
    """The numbers that the walking person gets, seen in these frames only."""
    tracker = Tracker()
    ids = [int(tracker(found(walking(k / 30, speed)), k * FRAME)[0]) for k in frames]
    return set(ids) - {0}


def test_nothing_found_is_no_track() -> None:
    tracker = Tracker()
    for k in range(5):
        assert len(tracker(found(), k * FRAME)) == 0


def test_one_object_keeps_its_number() -> None:
    assert told_ids(list(range(60))) == {1}


def test_a_track_is_told_after_a_time_and_not_before() -> None:
    tracker = Tracker(TrackerSettings(confirm_s=0.19))
    told = [int(tracker(found(walking(k / 30)), k * FRAME)[0]) for k in range(12)]
    assert told == [0] * 6 + [1] * 6


def test_confirmation_does_not_depend_on_the_rate() -> None:
    for step in (1, 3, 6):
        tracker = Tracker(TrackerSettings(confirm_s=0.19))
        told = {k: int(tracker(found(walking(k / 30)), k * FRAME)[0]) for k in range(0, 24, step)}
        assert [k for k, track in told.items() if track] == [k for k in told if k >= 6]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_lost_frames_change_no_number(share: float) -> None:
    kept = np.flatnonzero(np.random.default_rng(1).random(300) >= share).tolist()
    assert told_ids(kept, speed=150.0) == {1}


def test_the_gate_opens_with_time_because_the_prediction_is_less_certain() -> None:
    """What moved on by its own width while unseen is found again; at once it would not be."""
    for unseen, same in ((1, False), (15, True)):
        tracker = Tracker()
        for k in range(10):
            tracker(found((100, 50, 140, 150)), k * FRAME)
        now = (9 + unseen) * FRAME
        tracker(found((138, 50, 178, 150)), now)
        later = tracker(found((138, 50, 178, 150)), now + SECOND // 5)
        assert (later[0] == 1) == same


def test_two_that_cross_keep_their_numbers() -> None:
    tracker = Tracker()
    ids = []
    for k in range(60):
        left, right = walking(k / 30, 60), walking((60 - k) / 30, 60)
        ids.append(tracker(found(left, right), k * FRAME).tolist())
    assert ids[-1] == ids[10]
    assert 0 not in ids[-1]


def test_an_object_that_is_gone_for_long_is_another_when_it_returns() -> None:
    tracker = Tracker(TrackerSettings(forget_s=1.0))
    for k in range(10):
        tracker(found((100, 50, 140, 150)), k * FRAME)
    back = 10 * FRAME + 2 * SECOND
    tracker(found((100, 50, 140, 150)), back)
    assert tracker(found((100, 50, 140, 150)), back + SECOND // 2).tolist() == [2]


def test_a_doubtful_detection_continues_a_track_and_begins_none() -> None:
    tracker = Tracker()
    for k in range(10):
        tracker(found((100, 50, 140, 150)), k * FRAME)
    doubtful = found((101, 50, 141, 150), (400, 50, 440, 150), score=0.2)
    for k in range(10, 20):
        ids = tracker(doubtful, k * FRAME)
    assert ids.tolist() == [1, 0]


def test_classes_are_not_mixed() -> None:
    tracker = Tracker(TrackerSettings(confirm_s=0.0))
    assert tracker(found((100, 50, 140, 150), of=0), 0).tolist() == [1]
    assert tracker(found((100, 50, 140, 150), of=1), FRAME).tolist() == [2]


def test_time_that_runs_backwards_is_refused() -> None:
    tracker = Tracker()
    tracker(found(), SECOND)
    with pytest.raises(ValueError, match="after one of"):
        tracker(found(), 0)


def test_one_long_step_is_as_certain_as_many_short_ones() -> None:
    start = Motion.of(np.array([[0.0, 0, 40, 100]]))
    start.speed[:, :2] = 30  # of the centre: noise is a share of the size
    many = start
    for _ in range(10):
        many = many.after(0.1)
    one = start.after(1.0)
    for ours, theirs in zip(one._arrays(), many._arrays(), strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_the_filter_learns_a_steady_speed() -> None:
    motion = Motion.of(np.array([walking(0)]))
    for k in range(1, 60):
        motion = motion.after(1 / 30)
        motion.correct(np.array([0]), np.array([walking(k / 30)]))
    assert motion.speed[0, 0] == pytest.approx(60, rel=0.02)
    np.testing.assert_allclose(motion.after(0.5).boxes[0], walking(59 / 30 + 0.5), atol=1.0)


@pytest.mark.parametrize(
    ("likeness", "pairs"),
    [
        (np.zeros((0, 3)), set()),
        (np.zeros((3, 0)), set()),
        (np.array([[0.1]]), set()),
        (np.array([[0.9, 0.8], [0.8, 0.3]]), {(0, 0), (1, 1)}),
        (np.array([[0.5, 0.9], [0.2, 0.8]]), {(0, 1)}),
    ],
)
def test_the_most_alike_go_together(
    likeness: NDArray[np.float64], pairs: set[tuple[int, int]]
) -> None:
    rows, columns = best_pairs(likeness, 0.25)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == pairs
