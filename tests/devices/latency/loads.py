"""A detector whose capacity is known, and a clock that is set by hand."""

import time
from collections.abc import Sequence

import numpy as np

from stopline.devices.latency.replay import Kept
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Inference

MS = 1_000_000
KEPT = Kept("four", [np.full((36, 64, 3), grey, np.uint8) for grey in range(4)], 30.0, live=False)


class Takes:
    """Finds nothing, and takes that long for it."""

    names = ("car",)
    batch = 1
    min_score = 0.3

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        """As a real one."""
        time.sleep(self._seconds)
        stages = {"letterbox": 0, "engine": round(self._seconds * 1e9), "nms": 0}
        return Inference([Detections.none(self.names) for _ in images], stages)


class Clock:
    """Stands still until somebody sleeps on it; each sleep may last longer than it was to."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.now_ns, self._late_s = 1_000 * MS, late_s

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Late, as on a machine that is busy."""
        self.now_ns += round((seconds + self._late_s) * 1e9)
