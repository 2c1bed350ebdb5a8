"""What is known of all tracks of one camera."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Classes
from stopline.runtime.detections import Detections
from stopline.runtime.tracking.motion import Motion
from stopline.runtime.tracking.pairing import Rows


@dataclass(slots=True)
class Table:
    """A row of each array for one track."""

    motion: Motion
    ids: NDArray[np.int64]
    classes: Classes
    first_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]
    scores: NDArray[np.float64]  # averaged over the last while
    best: NDArray[np.float64]  # of all its scores
    votes: NDArray[np.float64]  # (n, classes) scores of each class, faded

    @classmethod
    def none(cls) -> "Table":
        """Nobody is followed."""
        rows, numbers = np.empty(0, np.int64), np.empty(0, np.float64)
        motion = Motion.of(np.empty((0, 4)))
        return cls(motion, rows, rows, rows, rows, numbers, numbers, numbers.reshape(0, 0))

    @classmethod
    def begun(cls, found: Detections, fresh: Rows, first_id: int, now_ns: int) -> "Table":
        """With these rows of what was found."""
        now = np.full(len(fresh), now_ns, np.int64)
        scores = found.scores[fresh].astype(np.float64)
        votes = np.zeros((len(fresh), len(found.names)))
        classes = found.classes[fresh].astype(np.int64)
        votes[np.arange(len(fresh)), classes] = scores
        ids = first_id + np.arange(len(fresh))
        motion = Motion.of(found.boxes[fresh])
        return cls(motion, ids, classes, now, now.copy(), scores, scores.copy(), votes)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Table":
        return Table(self.motion[rows], *(each[rows] for each in self._arrays()))

    def __add__(self, other: "Table") -> "Table":
        if len(self) == 0:
            return other
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        return Table(self.motion + other.motion, *(np.concatenate(pair) for pair in pairs))

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        own = (self.ids, self.classes, self.first_ns, self.seen_ns)
        return (*own, self.scores, self.best, self.votes)
