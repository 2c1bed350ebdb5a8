"""Simulated streets with their truth, and two kinds of detections in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.sim import CLASSES, Road, RoadSettings

FPS, SECONDS = 30, 10
WIDTH, HEIGHT = 640, 360
STREETS = {  # seed: metres a second, density
    **{0: (9, 1), 1: (0, 2), 2: (6, 1), 3: (12, 1), 4: (9, 2), 5: (0, 1.5)},
    **{10: (7, 1.2), 11: (0, 1.8), 12: (10, 1.5), 13: (5, 0.8), 14: (8, 2), 15: (13, 1)},
}
SIGMA, MISSED, FALSE = 0.03, 0.1, 0.5
FEED = 0.1  # every tracker is given detections from this score on

Ids: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: the truth that counts, the truth that is ignored, and the detections."""

    boxes: Boxes
    ids: Ids
    ignored: Boxes
    found: Detections


def of_truth(seed: int) -> Iterator[Seen]:
    """With detections made of the truth; nothing is ignored, as nothing else is detected."""
    random = np.random.default_rng(seed)
    for view in _views(seed):
        kept = _counts(view, CLASSES)
        classes = np.array([CLASSES.index(view.names[row]) for row in kept], np.int64)
        found = _disturbed(view.boxes[kept], classes, random)
        boxes = view.boxes[kept].astype(np.float64)
        yield Seen(boxes, view.ids[kept], np.empty((0, 4)), found)


def of_road_nano(seed: int) -> Iterator[Seen]:
    """With what the built-in bundle finds; what is tiny or mostly hidden may be found or not."""
    settings = DetectorSettings(min_score=FEED, threads=1)
    with Detector("road-nano", settings=settings) as detector:
        for view in _views(seed):
            kept = _counts(view, detector.names)
            boxes = view.boxes.astype(np.float64)
            ignored = np.delete(boxes, kept, axis=0)
            yield Seen(boxes[kept], view.ids[kept], ignored, detector(view.image))


Kind: TypeAlias = Callable[[int], Iterator[Seen]]


def _views(seed: int) -> Iterator[Any]:
    speed, density = STREETS[seed]
    settings = RoadSettings(width=WIDTH, height=HEIGHT, seed=seed, speed_mps=speed, density=density)
    road = Road(settings)
    return (road.view(index / FPS) for index in range(FPS * SECONDS))


def _counts(view: Any, classes: tuple[str, ...]) -> Ids:
    """Rows of what a tracker should follow: at least 12 pixels tall and 30 % in view."""
    tall = view.boxes[:, 3] - view.boxes[:, 1] >= 12
    known = np.array([name in classes for name in view.names], bool)
    return np.flatnonzero(tall & known & (view.visibility >= 0.3))


def _disturbed(boxes: Boxes, classes: Ids, random: np.random.Generator) -> Detections:
    size = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1, keepdims=True)
    noisy = boxes + random.normal(0, SIGMA, boxes.shape) * size
    scores = np.clip(random.normal(0.7, 0.15, len(boxes)), 0.1, 1)
    hit = random.random(len(boxes)) > MISSED
    count = random.poisson(FALSE)
    centre = random.uniform(0, (WIDTH, HEIGHT), (count, 2))
    half = random.uniform(8, 30, (count, 2))
    every = np.concatenate((noisy[hit], np.hstack((centre - half, centre + half))))
    scores = np.concatenate((scores[hit], random.uniform(0.1, 0.6, count)))
    classes = np.concatenate((classes[hit], random.integers(len(CLASSES), size=count)))
    order = np.argsort(-scores)
    return Detections(
        every[order].astype(np.float32), scores[order].astype(np.float32), classes[order], CLASSES
    )
