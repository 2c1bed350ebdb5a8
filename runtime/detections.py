"""What was found in one image."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stopline.runtime.arrays import Boxes, Classes, Scores, Tracks


class Detection(NamedTuple):
    """One object: `box` is xyxy in pixels of the source frame."""

    box: tuple[float, float, float, float]
    score: float
    name: str
    track: int | None = None  # the same number is the same object; None if it has none (yet)


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes xyxy in pixels of the source frame, best first, with a row of each array for one.

    `tracks` is None where nobody tracks.
    """

    boxes: Boxes
    scores: Scores
    classes: Classes
    names: tuple[str, ...]  # of all the classes the detector knows
    tracks: Tracks | None = None

    @classmethod
    def none(cls, names: tuple[str, ...]) -> "Detections":
        """No detections, which is what a camera that is not LIVE gives."""
        return cls(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), names
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        columns = (self.boxes, self.scores, self.classes, self._tracks())
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for (x0, y0, x1, y1), score, index, track in rows:
            yield Detection((x0, y0, x1, y1), score, self.names[index], track or None)

    def _tracks(self) -> Tracks:
        return np.zeros(len(self), np.int64) if self.tracks is None else self.tracks
