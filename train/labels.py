"""From what a data set says of an image to marks."""

from collections.abc import Sequence

import numpy as np
import torch

from stopline.devices.coco import LabelledImage
from stopline.train.marks import IGNORE, REGION, Marks


def marks_of(image: LabelledImage, classes: Sequence[str]) -> Marks:
    """Marks in pixels of the image: its objects, its crowds, and the image as a region."""
    return Marks.join([_labels(image, classes), _region(image, classes)])


def _labels(image: LabelledImage, classes: Sequence[str]) -> Marks:
    index = {name: i for i, name in enumerate(classes)}
    rows = [row for row, name in enumerate(image.names) if name in index]
    known_rows = [[_says(image, name, image.names[row]) for name in classes] for row in rows]
    kinds = [IGNORE if image.crowd[row] else index[image.names[row]] for row in rows]
    return Marks(
        torch.from_numpy(np.asarray(image.boxes, np.float32)[rows]).view(-1, 4),
        torch.tensor(kinds, dtype=torch.int64),
        torch.tensor(known_rows, dtype=torch.bool).view(-1, len(classes)),
    )


def _says(image: LabelledImage, name: str, label: str) -> bool:
    """Whether a box labelled `label` is evidence for or against class `name`.

    Where trucks were labelled as cars, a box of a car may be a truck's.
    """
    return name == label or (name in image.labelled and image.labelled_as.get(name) != label)


def _region(image: LabelledImage, classes: Sequence[str]) -> Marks:
    known = image.labelled
    sure = [image.labelled_as.get(name, name) in known or name in known for name in classes]
    return Marks(
        torch.tensor([[0, 0, image.width, image.height]], dtype=torch.float32),
        torch.tensor([REGION]),
        torch.tensor([sure]),
    )
