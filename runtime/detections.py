"""What was found in one image."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stopline.runtime.arrays import Boxes, Classes, Scores


class Detection(NamedTuple):
    """One object: `box` is xyxy in pixels of the source frame."""

    box: tuple[float, float, float, float]
    score: float
    name: str


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes xyxy in pixels of the source frame, best first, with a row of each array for one."""

    boxes: Boxes
    scores: Scores
    classes: Classes
    names: tuple[str, ...]  # of all the classes the detector knows

    @classmethod
    def none(cls, names: tuple[str, ...]) -> "Detections":
        """No detections, which is what a camera that is not LIVE gives."""
        return cls(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), names
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        rows = zip(self.boxes.tolist(), self.scores.tolist(), self.classes.tolist(), strict=True)
        for box, score, index in rows:
            yield Detection((box[0], box[1], box[2], box[3]), score, self.names[index])
