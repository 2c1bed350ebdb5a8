"""An evaluation as JSON, and as the figures that a bundle's manifest carries."""

from typing import Any

import msgspec

from stopline.devices.confusion import MIN_IOU
from stopline.devices.evaluation import Evaluation
from stopline.devices.mistakes import Mistake
from stopline.runtime.manifest import Accuracy, ClassAccuracy


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """What `stopline eval --json` writes. A figure that could not be computed is null.

    `confusion.counts` has a row for what is there and a column for what was found, in the order
    of `confusion.classes`, which end with the background.
    """
    return {
        "variant": evaluation.variant,
        "backend": evaluation.backend,
        "images": evaluation.images,
        "AP": evaluation.AP,
        "AP50": evaluation.AP50,
        "AP75": evaluation.AP75,
        "classes": msgspec.to_builtins(evaluation.classes),
        "dataset": evaluation.dataset,
        "AP50_interval": evaluation.AP50_interval,
        "positive_only": msgspec.to_builtins(evaluation.positive_only),
        "ignored_classes": {
            "of_set": list(evaluation.of_set_only),
            "of_detector": list(evaluation.of_detector_only),
        },
        "confusion": {
            "score": evaluation.score,
            "iou": MIN_IOU,
            "classes": [*evaluation.classes, "background"],
            "counts": evaluation.confusion.tolist(),
        },
        "missed": [_mistake(one) for one in evaluation.missed],
        "false": [_mistake(one) for one in evaluation.false],
    }


def accuracy(evaluation: Evaluation) -> Accuracy:
    """What a manifest says of one variant."""
    return Accuracy(
        dataset=evaluation.dataset,
        images=evaluation.images,
        backend=evaluation.backend,
        AP=evaluation.AP,
        AP50=evaluation.AP50,
        AP75=evaluation.AP75,
        classes={
            name: ClassAccuracy(AP=one.AP, AP50=one.AP50, recall=one.recall, boxes=one.boxes)
            for name, one in evaluation.classes.items()
        },
    )


def _mistake(one: Mistake) -> dict[str, Any]:
    return {
        "file": str(one.image.path),
        "class": one.name,
        "box": list(one.box),
        "score": one.score,
        "confused_with": one.confused_with,
    }
