"""HOTA and IDF1 of a tracker on a street, by TrackEval."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from following.streets import Ids, Seen
from numpy.typing import NDArray
from trackeval.metrics import HOTA, Identity

from stopline.devices.confusion import iou_matrix
from stopline.runtime.arrays import Boxes
from stopline.runtime.detections import Detections

Told: TypeAlias = tuple[Boxes, Ids]
Track: TypeAlias = Callable[[Detections, int], Told]  # detections and frame number → what it tells


class Scores(NamedTuple):
    """0..1; HOTA is the mean over the overlaps from 0.05 to 0.95, as in its paper."""

    hota: float
    idf1: float


def judged(track: Track, street: Sequence[Seen], share: float) -> Scores:
    """With that share of the frames lost, the same ones whoever tracks."""
    kept = np.flatnonzero(np.random.default_rng(100).random(len(street)) >= share)
    ids, others, likeness = [], [], []
    for index in kept:
        seen = street[index]
        boxes, numbers = track(seen.found, int(index))
        boxes, numbers, alike = _that_count(seen, boxes.astype(np.float64), numbers)
        ids.append(seen.ids)
        others.append(numbers)
        likeness.append(alike)
    data = _as_trackeval(ids, others, likeness)
    hota = HOTA().eval_sequence(data)["HOTA"].mean()
    idf1 = Identity({"PRINT_CONFIG": False}).eval_sequence(data)["IDF1"]
    return Scores(float(hota), float(idf1))


def _that_count(seen: Seen, boxes: Boxes, ids: Ids) -> tuple[Boxes, Ids, NDArray[np.float64]]:
    """Without those that lie on what is ignored and on nothing else."""
    alike = _iou(seen.boxes, boxes)
    on_ignored = _iou(seen.ignored, boxes).max(axis=0, initial=0) >= 0.5
    counts = ~on_ignored | (alike.max(axis=0, initial=0) >= 0.5)
    return boxes[counts], ids[counts], alike[:, counts]


def _iou(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    if len(boxes) == 0 or len(others) == 0:
        return np.zeros((len(boxes), len(others)))
    return iou_matrix(boxes, others)


def _as_trackeval(
    ids: list[Ids], others: list[Ids], likeness: list[NDArray[np.float64]]
) -> dict[str, Any]:
    true, told = (np.unique(np.concatenate(numbers)) for numbers in (ids, others))
    return {
        "num_timesteps": len(ids),
        "num_gt_ids": len(true),
        "num_tracker_ids": len(told),
        "num_gt_dets": sum(map(len, ids)),
        "num_tracker_dets": sum(map(len, others)),
        "gt_ids": [np.searchsorted(true, numbers) for numbers in ids],
        "tracker_ids": [np.searchsorted(told, numbers) for numbers in others],
        "similarity_scores": likeness,
    }
