"""COCO's average precision per class, as faster-coco-eval computes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.devices.judging import Judged

MAX_DETECTIONS = 100  # of a class in an image, COCO's own limit
MIN_IOUS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The figures of each class, nan where it has no box to find."""

    precision: NDArray[np.float64]  # (10, 101, classes) at each of MIN_IOUS and of 101 recalls
    recall: NDArray[np.float64]  # (10, classes) the highest reached at each of MIN_IOUS


def curves(judged: Sequence[Judged], classes: int) -> Curves:
    """Precision and recall of `classes` classes over all images.

    As in COCO a detection inside a crowd region of its class is ignored. Raises ImportError
    where faster-coco-eval is not installed.
    """
    evaluator = _evaluator(judged, classes)
    evaluator.evaluate()
    evaluator.accumulate()
    precision, recall = evaluator.eval["precision"], evaluator.eval["recall"]
    return Curves(
        precision=_nan_for_none(precision[:, :, :, 0, 0]),
        recall=_nan_for_none(recall[:, :, 0, 0]),
    )


def _evaluator(judged: Sequence[Judged], classes: int) -> Any:
    """A COCOeval of all areas; ids are counted from 1, as 0 means "unmatched" to it."""
    try:
        from faster_coco_eval import (  # type: ignore[import-untyped]  # it has no types
            COCO,
            COCOeval_faster,
        )
    except ImportError as absent:
        raise ImportError(
            "COCO AP needs faster-coco-eval: pip install 'stopline[eval]'"
        ) from absent
    images = [
        {"id": number, "width": one.image.width, "height": one.image.height}
        for number, one in enumerate(judged, 1)
    ]
    categories = [{"id": index + 1, "name": str(index)} for index in range(classes)]
    # Not loadRes: before 1.8 it cannot take a set in which nothing was found.
    truth, found = (
        COCO({"images": images, "annotations": rows, "categories": categories})
        for rows in (_labels(judged), _detections(judged))
    )
    evaluator = COCOeval_faster(truth, found, "bbox")
    evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluator.params.maxDets = [MAX_DETECTIONS]
    return evaluator


def _labels(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    rows = [
        {**_placed(number, index, box), "iscrowd": int(crowd)}
        for number, one in enumerate(judged, 1)
        for box, index, crowd in zip(
            one.boxes.tolist(), one.classes.tolist(), one.crowd.tolist(), strict=True
        )
    ]
    return _numbered(rows)


def _detections(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    rows = [
        {**_placed(number, index, box), "iscrowd": 0, "score": score}
        for number, one in enumerate(judged, 1)
        for box, index, score in zip(
            one.found_boxes.tolist(),
            one.found_classes.tolist(),
            one.found_scores.tolist(),
            strict=True,
        )
    ]
    return _numbered(rows)


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "id": number} for number, row in enumerate(rows, 1)]


def _placed(number: int, index: int, box: list[float]) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    return {
        "image_id": number,
        "category_id": index + 1,
        "bbox": [x0, y0, width, height],
        "area": width * height,
    }


def _nan_for_none(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """COCO writes -1 where a class has nothing to find."""
    return np.where(values < 0, np.nan, values)
