"""A detector of twenty objects in every frame, whatever it sees, at the cost of a real one."""

from collections.abc import Sequence

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, Inference

SURE, DOUBTFUL = 20, 10  # the latter only for who asks for them, as a tracker does


class Crowd:
    """Runs the detector, and puts objects that walk about in the place of what it found."""

    def __init__(self, detector: Detector) -> None:
        self.names, self.batch, self.min_score = detector.names, detector.batch, detector.min_score
        self._detector = detector
        self._frames = 0

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        """Twenty for each image, and ten more of low scores where those are wanted."""
        found = self._detector.detect(images, least_score)
        doubtful = least_score is not None and least_score < self.min_score
        self._frames += 1
        walking = self._walking(SURE + DOUBTFUL * doubtful)
        return Inference([walking for _ in images], found.stages_ns)

    def _walking(self, count: int) -> Detections:
        nth = np.arange(count)
        chance = np.random.default_rng(self._frames)
        across = (
            (nth % 6) * 200.0 + 30 * np.sin(self._frames / 15 + nth) + chance.normal(0, 1, count)
        )
        down = (nth // 6) * 140.0 + chance.normal(0, 1, count)
        boxes = np.stack((across, down, across + 60, down + 110), axis=1).astype(np.float32)
        scores = np.concatenate((np.linspace(0.9, 0.5, SURE), np.linspace(0.28, 0.12, DOUBTFUL)))
        classes = nth % min(3, len(self.names))
        return Detections(boxes, scores[:count].astype(np.float32), classes, self.names)
