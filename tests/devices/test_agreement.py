"""Boxes of two answers to one image, paired."""

import numpy as np
import pytest

from stopline.devices.agreement import agreement
from stopline.runtime.detections import Detections

NAMES = ("car", "person")
Row = tuple[float, float, int]  # left edge, score, class; each box is 20 pixels wide and high


def found(*rows: Row) -> Detections:
    left = np.array([row[0] for row in rows], np.float32)
    boxes = np.stack([left, left * 0, left + 20, left * 0 + 20], axis=1).reshape(-1, 4)
    scores = np.array([row[1] for row in rows], np.float32)
    return Detections(boxes, scores, np.array([row[2] for row in rows], np.int64), NAMES)


def share(left: Detections, right: Detections) -> tuple[int, float]:
    said = agreement([left], [right], 0.3)
    return said.boxes, said.matched


def test_two_empty_answers_match_nothing() -> None:
    assert share(found(), found()) == (0, 0.0)
    assert agreement([], [], 0.3).images == 0


def test_the_same_answer_matches_whole_and_counts_each_box_twice() -> None:
    one = found((0, 0.9, 0), (50, 0.5, 1))
    assert share(one, one) == (4, 1.0)


def test_a_box_that_only_one_finds_has_no_counterpart() -> None:
    assert share(found((0, 0.9, 0), (50, 0.5, 0)), found((0, 0.9, 0))) == (3, 2 / 3)
    assert share(found((0, 0.9, 0)), found()) == (1, 0.0)


def test_another_class_and_another_place_are_no_counterpart() -> None:
    assert share(found((0, 0.9, 0)), found((0, 0.9, 1))) == (2, 0.0)
    assert share(found((0, 0.9, 0)), found((3, 0.9, 0))) == (2, 0.0)  # IoU .74
    assert share(found((0, 0.9, 0)), found((1, 0.9, 0))) == (2, 1.0)  # IoU .905


def test_a_counterpart_may_score_a_little_lower_and_no_more() -> None:
    assert share(found((0, 0.3, 0)), found((0, 0.27, 0))) == (1, 1.0)
    assert share(found((0, 0.3, 0)), found((0, 0.2, 0))) == (1, 0.0)


def test_what_lies_below_the_threshold_on_both_sides_is_not_asked_for() -> None:
    assert share(found((0, 0.29, 0)), found((0, 0.28, 0))) == (0, 0.0)


def test_differences_are_of_the_pairs() -> None:
    said = agreement([found((0, 0.9, 0))] * 2, [found((0.5, 0.8, 0)), found((0, 0.9, 0))], 0.3)
    assert said.mean_score_difference == pytest.approx(0.05)
    assert said.max_score_difference == pytest.approx(0.1)
    assert said.max_corner_px == pytest.approx(0.5)


def test_a_looser_iou_can_be_asked_for() -> None:
    pair = [found((0, 0.9, 0))], [found((3, 0.9, 0))]
    assert agreement(*pair, 0.3, min_iou=0.5).matched == 1
