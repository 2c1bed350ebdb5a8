"""A tracked object is told through a dip of its score, under one name where that is asked for."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stopline.runtime.detections import Detections
from stopline.runtime.tracking.published import least_of
from stopline.runtime.tracking.tracker import Tracker, TrackerSettings
from tests.runtime.tracking.objects import FRAME, NAMES, found

LEAST = least_of(NAMES, 0.3)
BOX = (100.0, 50.0, 140.0, 150.0)


def told(tracker: Tracker, scores: list[float], least: NDArray[np.float32] = LEAST) -> list[float]:
    """The scores that are told of one object that stands still, by its scores; 0 for none."""
    frames = [tracker.follow(found(BOX, score=s), k * FRAME, least) for k, s in enumerate(scores)]
    return [round(float(one.scores.sum()), 3) for one in frames]


def test_a_tracked_object_is_told_with_its_true_score_while_it_dips() -> None:
    assert told(Tracker(), [0.9] * 5 + [0.15, 0.2] + [0.9]) == [0.9] * 5 + [0.15, 0.2, 0.9]


def test_what_has_no_track_is_told_from_its_threshold_on_only() -> None:
    assert told(Tracker(), [0.2, 0.4, 0.2, 0.29, 0.3]) == [0, 0.4, 0, 0, 0.3]


def test_a_track_that_was_not_confirmed_yet_tells_no_dip() -> None:
    assert told(Tracker(TrackerSettings(confirm_s=1.0)), [0.9, 0.9, 0.2, 0.9]) == [0.9, 0.9, 0, 0.9]


def test_a_track_that_never_reached_its_threshold_is_never_told() -> None:
    """Nobody who asked for 0.8 gets 0.7 for having a track."""
    tracker, least = Tracker(), least_of(NAMES, 0.8)
    assert told(tracker, [0.7] * 20, least) == [0] * 20


def test_a_threshold_that_rises_is_kept_at_once() -> None:
    tracker = Tracker()
    told(tracker, [0.7] * 20)
    high = least_of(NAMES, 0.8)
    assert len(tracker.follow(found(BOX, score=0.7), 20 * FRAME, high)) == 0


def test_what_never_dips_is_told_as_it_was_found() -> None:
    random = np.random.default_rng(3)
    scores = random.uniform(0.5, 1, 60).tolist()
    assert told(Tracker(), scores) == pytest.approx(scores, abs=1e-3)


def flickering() -> list[int]:
    """Classes of one object over two seconds: a person whom one detection in four calls a car."""
    return [1 if k % 4 == 3 else 0 for k in range(60)]


def test_a_flickering_object_keeps_one_name_and_number_where_votes_are_asked_for() -> None:
    tracker = Tracker(TrackerSettings(class_s=1.0))
    names, tracks = set(), set()
    for k, of in enumerate(flickering()):
        one = tracker.follow(found(BOX, of=of), k * FRAME, LEAST)
        if k > 4:
            names.add(int(one.classes[0]))
            assert one.tracks is not None
            tracks.add(int(one.tracks[0]))
    assert (names, tracks) == ({0}, {1})


def test_without_votes_it_has_two() -> None:
    tracker = Tracker()
    frames = [
        tracker.follow(found(BOX, of=of), k * FRAME, LEAST) for k, of in enumerate(flickering())
    ]
    assert {int(one.classes[0]) for one in frames[5:]} == {0, 1}


def test_an_object_that_really_is_another_gets_its_name_in_time() -> None:
    tracker = Tracker(TrackerSettings(class_s=0.5))
    for k in range(60):
        one = tracker.follow(found(BOX, of=0 if k < 20 else 1), k * FRAME, LEAST)
    assert one.classes.tolist() == [1]


def test_averaged_scores_follow_in_their_time_constant_at_any_rate() -> None:
    for step in (1, 3):
        tracker = Tracker(TrackerSettings(score_s=0.5))
        for k in range(0, 31, step):
            tracker.follow(found(BOX, score=1.0), k * FRAME, LEAST)
        for k in range(30 + step, 46, step):  # half a second later
            one = tracker.follow(found(BOX, score=0.6), k * FRAME, LEAST)
        assert one.scores[0] == pytest.approx(0.6 + 0.4 / np.e, abs=0.01)


def test_averaged_scores_are_still_told_best_first() -> None:
    tracker = Tracker(TrackerSettings(score_s=5.0))
    other = (300.0, 50.0, 340.0, 150.0)
    for k, (first, second) in enumerate([(0.9, 0.6)] * 10 + [(0.5, 0.6)]):
        pair = found(BOX, other)
        scores = np.array([first, second], np.float32)
        order = np.argsort(-scores)
        both = Detections(pair.boxes[order], scores[order], pair.classes, NAMES)
        one = tracker.follow(both, k * FRAME, LEAST)
    assert one.boxes[0].tolist() == list(BOX)
    assert one.scores.tolist() == sorted(one.scores.tolist(), reverse=True)
