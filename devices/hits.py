"""Which detections hit a label, as COCO matches them, at each of its ten IoUs.

faster-coco-eval does the same to compute AP, and keeps the matches to itself. They are needed to
count an image twice, or not at all, without matching again (`devices.resampling`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.devices.average_precision import MAX_DETECTIONS, MIN_IOUS
from stopline.devices.confusion import covered, iou_matrix
from stopline.devices.judging import Judged


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Of one class in all images: its detections, best first, and how many labels there are."""

    image: NDArray[np.int64]  # (d,) index of the image of each detection
    hit: NDArray[np.bool_]  # (10, d) at each of MIN_IOUS
    ignored: NDArray[np.bool_]  # (10, d) neither hit nor false: it lies in a crowd
    labels: NDArray[np.int64]  # (images,) how many there are to find


def hits(judged: Sequence[Judged], classes: int) -> list[Hits]:
    """Of each class; as in COCO the best 100 detections of a class in an image count."""
    return [_of_class(judged, index) for index in range(classes)]


def _of_class(judged: Sequence[Judged], index: int) -> Hits:
    image, scores, hit, ignored, labels = [], [], [], [], []
    for at, one in enumerate(judged):
        found = np.flatnonzero(one.found_classes == index)[:MAX_DETECTIONS]  # they come best first
        there = one.classes == index
        labels.append(int(np.count_nonzero(there & ~one.crowd)))
        image.append(np.full(len(found), at, np.int64))
        scores.append(one.found_scores[found])
        matched = _matched(one, found, np.flatnonzero(there))
        hit.append(matched[0])
        ignored.append(matched[1])
    order = np.argsort(-np.concatenate([np.empty(0), *scores]), kind="stable")
    nothing = np.empty((len(MIN_IOUS), 0), np.bool_)
    return Hits(
        image=np.concatenate([np.empty(0, np.int64), *image])[order],
        hit=np.concatenate([nothing, *hit], axis=1)[:, order],
        ignored=np.concatenate([nothing, *ignored], axis=1)[:, order],
        labels=np.array(labels, np.int64),
    )


def _matched(
    one: Judged, found: NDArray[np.intp], there: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(10, d) hit and (10, d) ignored, of detections `found` on labels `there`, best first."""
    crowd = one.crowd[there]
    boxes = one.found_boxes[found].astype(np.float64)
    single, region = (one.boxes[there[kind]].astype(np.float64) for kind in (~crowd, crowd))
    hit = _taken(iou_matrix(boxes, single))
    inside = covered(boxes, region).max(axis=1, initial=0)
    return hit, (inside >= MIN_IOUS[:, None]) & ~hit


def _taken(iou: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(d, n) → (10, d): whether each detection, best first, gets a label that is still free."""
    hit = np.zeros((len(MIN_IOUS), len(iou)), np.bool_)
    free = np.ones((len(MIN_IOUS), iou.shape[1]), np.bool_)
    near = iou.max(axis=1, initial=0) >= MIN_IOUS[0]
    levels = np.arange(len(MIN_IOUS))
    for row in np.flatnonzero(near):
        # Of two labels that tie COCO takes the last.
        open_to = np.where(free, iou[row], -1)[:, ::-1]  # (10, n)
        best = open_to.argmax(axis=1)
        hit[:, row] = open_to[levels, best] >= MIN_IOUS
        taken = levels[hit[:, row]]
        free[taken, iou.shape[1] - 1 - best[taken]] = False
    return hit
