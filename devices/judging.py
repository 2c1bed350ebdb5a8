"""What of a detector's answer may be judged in an image whose labels are only partial.

A class that is not labelled in an image is unknown there: a detection of it is neither hit nor
miss. So before anything is counted, detections and boxes of such classes are left out, which
makes every figure of a class one over the images in which that class is labelled, and no others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.devices.coco import CocoSet, LabelledImage
from stopline.runtime.arrays import Boxes, Classes, Scores
from stopline.runtime.detections import Detections


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Where the classes of a detector and of a set meet."""

    scored: tuple[str, ...]  # classes of the set that the detector can give, in the set's order
    of_set_only: tuple[str, ...]
    of_detector_only: tuple[str, ...]
    counts_as: tuple[str, ...]  # for each class of the detector, a class of the set or its own name


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One image, with the labels and detections that count. Classes index `Vocabulary.scored`."""

    image: LabelledImage
    boxes: Boxes  # (n, 4) xyxy, what is there
    classes: Classes  # (n,)
    crowd: NDArray[np.bool_]  # (n,) regions to ignore
    found_boxes: Boxes  # (m, 4) xyxy, what was found, best first
    found_scores: Scores  # (m,)
    found_classes: Classes  # (m,)


def vocabulary(
    detector_names: Sequence[str], coco_set: CocoSet, class_map: Mapping[str, str]
) -> Vocabulary:
    """Match classes by name after `class_map`: detector class → class of the set.

    Raises ValueError for a map that names no such class, and if nothing can be scored.
    """
    _refuse_unknown("the detector", class_map, detector_names)
    _refuse_unknown(coco_set.name, class_map.values(), coco_set.classes)
    counts_as = tuple(class_map.get(name, name) for name in detector_names)
    reached = {*counts_as}
    for image in coco_set.images:
        reached |= {right for left, right in image.labelled_as.items() if left in counts_as}
    scored = tuple(name for name in coco_set.classes if name in reached)
    if not scored:
        raise ValueError(
            f"no class in common: the detector finds {_some(detector_names)}; {coco_set.name} "
            f"labels {_some(coco_set.classes)}; match them with --map {detector_names[0]}=…"
        )
    lost = tuple(
        name
        for name, counted in zip(detector_names, counts_as, strict=True)
        if counted not in scored
    )
    rest = tuple(name for name in coco_set.classes if name not in reached)
    return Vocabulary(scored, rest, lost, counts_as)


def judged(
    found: Detections, image: LabelledImage, words: Vocabulary, classes: frozenset[str]
) -> Judged:
    """Keep what can be judged of `classes`, the labelled or the positive-only ones of `image`.

    Where the image's `labelled_as` says that trucks were labelled as cars, a detected truck
    counts as a car. A car and a truck found in one place are then two cars, one of them false:
    what a detector leaves to the user to sort out is not sorted out for it here.
    """
    column = {name: index for index, name in enumerate(words.scored) if name in classes}
    aliases = image.labelled_as
    here = [column.get(aliases.get(name, name), -1) for name in words.counts_as]
    found_classes = np.array(here, np.int64)[found.classes]
    known = found_classes >= 0
    there = np.array([column.get(name, -1) for name in image.names], np.int64)
    labelled = there >= 0
    return Judged(
        image=image,
        boxes=image.boxes[labelled],
        classes=there[labelled],
        crowd=image.crowd[labelled],
        found_boxes=found.boxes[known],
        found_scores=found.scores[known],
        found_classes=found_classes[known],
    )


def _refuse_unknown(where: str, named: Iterable[str], known: Sequence[str]) -> None:
    if unknown := [name for name in named if name not in known]:
        raise ValueError(
            f"--map names {', '.join(unknown)}, which {where} does not have: it has {_some(known)}"
        )


def _some(names: Sequence[str], most: int = 12) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
