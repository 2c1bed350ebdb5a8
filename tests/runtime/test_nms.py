"""Of boxes that mean one object only the best stays."""

import numpy as np
import pytest

from stopline.runtime.nms import nms_per_class


def test_no_boxes_give_no_indices() -> None:
    kept = nms_per_class(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64), 0.5)
    assert kept.tolist() == []


def test_one_box_stays() -> None:
    kept = nms_per_class(np.array([[0, 0, 9, 9.0]]), np.array([0.9]), np.array([3]), 0.5)
    assert kept.tolist() == [0]


@pytest.mark.parametrize(("max_iou", "kept"), [(0.85, [1]), (0.95, [1, 0])])
def test_the_better_of_two_that_overlap_by_nine_tenths_stays(
    max_iou: float, kept: list[int]
) -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9.0]])
    found = nms_per_class(boxes, np.array([0.5, 0.8]), np.array([0, 0]), max_iou)
    assert found.tolist() == kept


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10.0]])
    assert len(nms_per_class(boxes, np.array([0.5, 0.8]), np.array([0, 1]), 0.5)) == 2


def test_kept_boxes_come_best_first_over_all_classes() -> None:
    boxes = np.array([[20.0 * i, 0, 20 * i + 10, 10] for i in range(5)])
    scores = np.array([0.2, 0.9, 0.4, 0.8, 0.3])
    kept = nms_per_class(boxes, scores, np.array([0, 1, 0, 1, 2]), 0.5)
    assert kept.tolist() == [1, 3, 2, 4, 0]
