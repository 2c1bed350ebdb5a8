"""What was taken for what, at the score at which the detector is used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.devices.judging import Judged
from stopline.runtime.arrays import Boxes

MIN_IOU = 0.5
NOTHING, IGNORED = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """For each detection the label it lies on: its index, NOTHING, or IGNORED in a crowd."""

    judged: Judged
    label_of: NDArray[np.int64]  # (m,) of the m detections that reach the score


def matches(judged: Judged, min_score: float) -> Matches:
    """Pair detections, best first, with labels at IoU 0.5, each at most once.

    Labels of the same class first, so that a stray of another class takes none from its own.
    """
    likely = judged.found_scores >= min_score  # best first, so these are the first rows
    boxes, classes = judged.found_boxes[likely], judged.found_classes[likely]
    label_of = np.full(len(boxes), NOTHING, np.int64)
    iou = np.where(judged.crowd, 0, iou_matrix(boxes, judged.boxes))  # (m, n)
    same = classes[:, None] == judged.classes[None, :]  # (m, n)
    _pair(np.where(same, iou, 0), label_of)
    in_crowd = (covered(boxes, judged.boxes) >= MIN_IOU) & same & judged.crowd
    label_of[in_crowd.any(axis=1) & (label_of == NOTHING)] = IGNORED
    _pair(np.where(same, 0, iou), label_of)
    return Matches(judged, label_of)


def confusion(matched: Sequence[Matches], classes: int) -> NDArray[np.int64]:
    """(classes + 1, classes + 1) counts: rows what is there, columns what was found.

    The last row is what was found where nothing is, the last column what was not found.
    """
    table = np.zeros((classes + 1, classes + 1), np.int64)
    for match in matched:
        one, label_of = match.judged, match.label_of
        counted = np.flatnonzero(label_of != IGNORED)
        on = label_of[counted]
        there = np.where(on >= 0, np.append(one.classes, classes)[on], classes)
        np.add.at(table, (there, one.found_classes[counted]), 1)
        missed = ~one.crowd
        missed[on[on >= 0]] = False
        table[:, classes] += np.bincount(one.classes[missed], minlength=classes + 1)
    return table


def iou_matrix(left: Boxes, right: Boxes) -> NDArray[np.float64]:
    """(m, 4) and (n, 4) xyxy → (m, n), 0..1."""
    shared = _shared(left, right)
    union = _area(left)[:, None] + _area(right)[None, :] - shared
    iou: NDArray[np.float64] = shared / np.maximum(union, 1e-9)
    return iou


def covered(left: Boxes, right: Boxes) -> NDArray[np.float64]:
    """The share of each of `left` (m, 4) that lies in each of `right` (n, 4): (m, n), 0..1."""
    share: NDArray[np.float64] = _shared(left, right) / np.maximum(_area(left)[:, None], 1e-9)
    return share


def _pair(iou: NDArray[np.float64], label_of: NDArray[np.int64]) -> None:
    """Give every free detection the free label it lies on best."""
    free = np.ones(iou.shape[1], np.bool_)
    free[label_of[label_of >= 0]] = False
    for row in np.flatnonzero((label_of == NOTHING) & (iou >= MIN_IOU).any(axis=1)):
        reachable = np.where(free, iou[row], 0)
        best = int(reachable.argmax())
        if reachable[best] >= MIN_IOU:
            label_of[row], free[best] = best, False


def _shared(left: Boxes, right: Boxes) -> NDArray[np.float64]:
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    sides: NDArray[np.float64] = np.clip(high - low, 0, None).astype(np.float64)
    return sides[..., 0] * sides[..., 1]


def _area(boxes: Boxes) -> NDArray[np.float64]:
    sides: NDArray[np.float64] = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
    return sides[:, 0] * sides[:, 1]
