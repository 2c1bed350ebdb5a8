"""Where boxes will be: a Kalman filter of constant velocity, driven by real time.

Centre and size are four quantities that move on their own, so that all boxes and all quantities
are filtered at once, without a matrix. Noise is a share of the box's size, as in SORT
(arXiv 1602.00763) and ByteTrack (arXiv 2110.06864), but per second instead of per frame: a step
of any length is one step.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes

Quantities: TypeAlias = NDArray[np.floating[Any]]  # (n, 4) of centre x, centre y, width, height

MEASURED = 0.05  # standard deviation of a detected side, in sizes of the box
JERK = 1.0  # how much speed changes, in sizes a second for every square root of a second
FIRST_SPEED = 1.5  # standard deviation of the speed of what was seen once, sizes a second


@dataclass(slots=True)
class Motion:
    """Of n boxes: `at` in pixels, `speed` in pixels a second, and how uncertain both are."""

    at: Quantities
    speed: Quantities
    at_variance: Quantities
    covariance: Quantities
    speed_variance: Quantities

    @classmethod
    def of(cls, boxes: Boxes) -> "Motion":
        """Seen once, and so of unknown speed."""
        at = _quantities(boxes)
        zero = np.zeros_like(at)
        size = _size(at) + zero
        return cls(at, zero, (MEASURED * size) ** 2, zero.copy(), (FIRST_SPEED * size) ** 2)

    @property
    def boxes(self) -> Boxes:
        """(n, 4) xyxy, where they are taken to be."""
        centre, half = self.at[:, :2], np.maximum(self.at[:, 2:], 1) / 2
        return np.concatenate((centre - half, centre + half), axis=1)

    @property
    def size(self) -> Quantities:
        """(n, 1) mean of width and height, pixels."""
        return _size(self.at)

    @property
    def spread(self) -> Quantities:
        """(n, 2) standard deviation of the centre, pixels."""
        deviation: Quantities = np.sqrt(self.at_variance[:, :2])
        return deviation

    def after(self, seconds: float) -> "Motion":
        """Where they will be that much later: noise of acceleration, integrated over the step."""
        noise = (JERK * _size(self.at)) ** 2 * seconds
        return Motion(
            self.at + self.speed * seconds,
            self.speed,
            self.at_variance
            + (2 * self.covariance + self.speed_variance * seconds + noise * seconds / 3) * seconds,
            self.covariance + self.speed_variance * seconds + noise * seconds / 2,
            self.speed_variance + noise,
        )

    def correct(self, rows: NDArray[np.int64], boxes: Boxes) -> None:
        """Learn of some what was detected, a box for each row; no row comes twice."""
        measured = _quantities(boxes)
        variance = self.at_variance[rows] + (MEASURED * _size(measured)) ** 2
        trust, trust_speed = self.at_variance[rows] / variance, self.covariance[rows] / variance
        missed_by = measured - self.at[rows]
        self.at[rows] += trust * missed_by
        self.speed[rows] += trust_speed * missed_by
        self.speed_variance[rows] -= trust_speed * self.covariance[rows]
        self.covariance[rows] *= 1 - trust
        self.at_variance[rows] *= 1 - trust

    def __getitem__(self, rows: NDArray[Any]) -> "Motion":
        return Motion(*(each[rows] for each in self._arrays()))

    def __add__(self, other: "Motion") -> "Motion":
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        return Motion(*(np.concatenate(pair) for pair in pairs))

    def _arrays(self) -> tuple[Quantities, ...]:
        return (self.at, self.speed, self.at_variance, self.covariance, self.speed_variance)


def _quantities(boxes: Boxes) -> Quantities:
    low, high = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64)
    return np.concatenate(((low + high) / 2, high - low), axis=1)


def _size(at: Quantities) -> Quantities:
    size: Quantities = np.maximum((at[:, 2:3] + at[:, 3:4]) / 2, 1)
    return size
