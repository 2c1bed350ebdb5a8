"""What is known of an image for training: objects, regions to ignore, and what nobody looked for.

Labels are partial. Where an image was labelled for signs only, its people are neither objects nor
background, and a loss that takes them for background unlearns people. So each box says for which
classes it is evidence, and each image covers a region with the classes that are known in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

IGNORE = -1  # a box in which the loss must not look for background: a crowd
REGION = -2  # the part of the canvas that an image covers


@dataclass(frozen=True, eq=False)
class Marks:
    """Boxes of every kind in one tensor, so that each transform moves them together.

    `known` has a row for each box: for an object, the classes that its label says yes or no to;
    for a REGION, the classes of which every object in it is marked.
    """

    boxes: Tensor  # (n, 4) float32 xyxy, pixels
    kinds: Tensor  # (n,) int64: the index of the object's class, IGNORE or REGION
    known: Tensor  # (n, classes) bool

    @classmethod
    def none(cls, classes: int) -> "Marks":
        """No mark at all: everything on the canvas is background."""
        return cls(
            torch.empty(0, 4),
            torch.empty(0, dtype=torch.int64),
            torch.empty(0, classes, dtype=torch.bool),
        )

    @classmethod
    def join(cls, parts: Iterable["Marks"]) -> "Marks":
        """The marks of one canvas from those of the images on it."""
        parts = list(parts)
        return cls(
            torch.cat([part.boxes for part in parts]),
            torch.cat([part.kinds for part in parts]),
            torch.cat([part.known for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, rows: Tensor) -> "Marks":
        return Marks(self.boxes[rows], self.kinds[rows], self.known[rows])

    def to(self, device: torch.device) -> "Marks":
        """The same on another device."""
        return Marks(
            self.boxes.to(device, non_blocking=True),
            self.kinds.to(device, non_blocking=True),
            self.known.to(device, non_blocking=True),
        )

    def objects(self) -> "Marks":
        """The rows that are objects."""
        return self[self.kinds >= 0]

    def regions(self) -> "Marks":
        """The rows that are regions."""
        return self[self.kinds == REGION]

    def ignored(self) -> Tensor:
        """(m, 4) the boxes to ignore."""
        return self.boxes[self.kinds == IGNORE]
