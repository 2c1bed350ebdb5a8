"""From what a data set says of an image to marks, with a teacher's word for what it leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from stopline.devices.coco import LabelledImage
from stopline.runtime.detections import Detections
from stopline.train.marks import IGNORE, REGION, Marks

SAME = 0.5  # IoU from which a label and a teacher's box are taken for one object


@dataclass(frozen=True)
class Trust:
    """From which scores on the loss looks away from a teacher's box, and believes it."""

    ignore_above: float
    believe_above: float


def marks_of(
    image: LabelledImage, classes: Sequence[str], found: Detections | None, trust: Trust
) -> Marks:
    """Marks in pixels of the image. `found` is what the teacher saw in it, None without one.

    With a teacher the classes it knows count as known: where neither it nor a label sees one there
    is none. What only the teacher sees becomes a label or is ignored, as sure as it is. Objects of
    classes that the new detector is not asked for are ignored: objectness has no class, so to
    unlearn chairs would disturb what it knows of people.
    """
    taught = frozenset(found.names) if found is not None else frozenset()
    spoken_for = image.labelled | taught
    labels = _labels(image, classes, spoken_for)
    parts = [labels, _region(image, classes, spoken_for)]
    if found is not None:
        parts.append(_second_opinion(image, classes, labels, (found, trust)))
    return Marks.join(parts)


def _labels(image: LabelledImage, classes: Sequence[str], known: frozenset[str]) -> Marks:
    index = {name: i for i, name in enumerate(classes)}
    rows = [row for row, name in enumerate(image.names) if name in index]
    known_rows = [[_says(image, name, image.names[row], known) for name in classes] for row in rows]
    kinds = [IGNORE if image.crowd[row] else index[image.names[row]] for row in rows]
    return Marks(
        torch.from_numpy(np.asarray(image.boxes, np.float32)[rows]).view(-1, 4),
        torch.tensor(kinds, dtype=torch.int64),
        torch.tensor(known_rows, dtype=torch.bool).view(-1, len(classes)),
    )


def _says(image: LabelledImage, name: str, label: str, known: frozenset[str]) -> bool:
    """Whether a box labelled `label` is evidence for or against class `name`.

    Where trucks were labelled as cars, a box of a car may be a truck's.
    """
    return name == label or (name in known and image.labelled_as.get(name) != label)


def _region(image: LabelledImage, classes: Sequence[str], known: frozenset[str]) -> Marks:
    sure = [image.labelled_as.get(name, name) in known or name in known for name in classes]
    return Marks(
        torch.tensor([[0, 0, image.width, image.height]], dtype=torch.float32),
        torch.tensor([REGION]),
        torch.tensor([sure]),
    )


def _second_opinion(
    image: LabelledImage, classes: Sequence[str], labels: Marks, said: tuple[Detections, Trust]
) -> Marks:
    """The teacher's boxes of classes that are not labelled, where no label has the object."""
    found, trust = said
    index = {name: i for i, name in enumerate(classes)}
    news = [
        (box, index.get(name, IGNORE) if score >= trust.believe_above else IGNORE)
        for box, score, name in found
        if score >= trust.ignore_above and image.labelled_as.get(name, name) not in image.labelled
    ]
    boxes = torch.tensor([box for box, _ in news], dtype=torch.float32).view(-1, 4)
    kinds = torch.tensor([kind for _, kind in news], dtype=torch.int64)
    known = torch.tensor([name in found.names for name in classes]).expand(len(news), -1)
    return Marks(boxes, kinds, known)[~_covered(boxes, labels.boxes)]


def _covered(boxes: Tensor, labels: Tensor) -> Tensor:
    if not len(labels):
        return torch.zeros(len(boxes), dtype=torch.bool)
    covered: Tensor = box_iou(boxes, labels).amax(1) > SAME
    return covered
