"""Detections of made-up objects."""

import numpy as np

from stopline.runtime.detections import Detections

NAMES = ("person", "car")
SECOND = 1_000_000_000
FRAME = SECOND // 30


def found(*boxes: tuple[float, float, float, float], score: float = 0.9, of: int = 0) -> Detections:
    """Detections of one class and score."""
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, score, np.float32),
        np.full(count, of, np.int64),
        NAMES,
    )


def walking(seconds: float, speed: float = 60.0) -> tuple[float, float, float, float]:
    """A person of 40x100 pixels that walks to the right."""
    x = 100 + speed * seconds
    return (x, 50.0, x + 40, 150.0)
