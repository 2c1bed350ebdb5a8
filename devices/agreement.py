"""Whether two detectors find the same boxes in the same images. It needs no labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.devices.confusion import iou_matrix
from stopline.runtime.detections import Detections

SAME_IOU = 0.9
# A counterpart may score this much lower: a box at the threshold itself must not count as lost.
SLACK = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Boxes of two answers to one image: those that either finds, and how the pairs differ."""

    boxes: int
    score: NDArray[np.floating]  # (matched,) how far apart the scores of a pair are
    corner_px: NDArray[np.floating]  # (matched,) and their corners, at most, in the frame


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the boxes that either finds, how many have a counterpart in the other.

    A pair counts as two: each of its boxes was looked for in the other answer.
    """

    images: int
    boxes: int
    matched: float  # share, 0 where there is no box
    mean_score_difference: float  # over the pairs, as the next two
    max_score_difference: float
    max_corner_px: float


def twins(
    left: Detections, right: Detections, min_score: float, min_iou: float = SAME_IOU
) -> Twins:
    """Look for each box from `min_score` on in the other answer: same class, and `min_iou`."""
    same_class = left.classes[:, None] == right.classes[None, :]
    iou = np.where(same_class, iou_matrix(left.boxes, right.boxes), 0)  # (m, n)
    near = np.where(iou >= min_iou, iou, 0)
    ways = [_one_way(left, right, near, min_score), _one_way(right, left, near.T, min_score)]
    return Twins(
        boxes=sum(way.boxes for way in ways),
        score=np.concatenate([way.score for way in ways]),
        corner_px=np.concatenate([way.corner_px for way in ways]),
    )


def agreement(
    some: Sequence[Detections],
    others: Sequence[Detections],
    min_score: float,
    min_iou: float = SAME_IOU,
) -> Agreement:
    """Of two detectors in the same images."""
    looked_from = min_score - SLACK
    pairs = zip(_from(some, looked_from), _from(others, looked_from), strict=True)
    return summed([twins(left, right, min_score, min_iou) for left, right in pairs])


def summed(images: Sequence[Twins]) -> Agreement:
    """Over all images."""
    boxes = sum(image.boxes for image in images)
    score = np.concatenate([np.empty(0), *(image.score for image in images)])
    corner_px = np.concatenate([np.empty(0), *(image.corner_px for image in images)])
    return Agreement(
        images=len(images),
        boxes=boxes,
        matched=len(score) / boxes if boxes else 0.0,
        mean_score_difference=float(score.mean()) if len(score) else 0.0,
        max_score_difference=float(score.max(initial=0)),
        max_corner_px=float(corner_px.max(initial=0)),
    )


def _from(answers: Iterable[Detections], min_score: float) -> list[Detections]:
    kept = []
    for found in answers:
        likely = found.scores >= min_score
        rows = (found.boxes[likely], found.scores[likely], found.classes[likely])
        kept.append(Detections(*rows, found.names))
    return kept


def _one_way(
    some: Detections, others: Detections, iou: NDArray[np.float64], min_score: float
) -> Twins:
    asked = np.flatnonzero(some.scores >= min_score)
    if len(asked) == 0 or len(others) == 0:
        return Twins(len(asked), np.empty(0), np.empty(0))
    twin = iou[asked].argmax(axis=1)
    same = iou[asked, twin] > 0
    pair, other = asked[same], twin[same]
    return Twins(
        boxes=len(asked),
        score=np.abs(some.scores[pair] - others.scores[other]),
        corner_px=np.abs(some.boxes[pair] - others.boxes[other]).max(axis=1),
    )
