"""Which of the detections are told to anyone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.detections import Detections


def least_of(
    names: Sequence[str], min_score: float, by_class: Mapping[str, float] | None = None
) -> NDArray[np.float32]:
    """(classes,) the score from which each is told; ValueError for a class that there is not."""
    by_class = by_class or {}
    if unknown := sorted(set(by_class) - set(names)):
        raise ValueError(f"no class {', '.join(unknown)}: wanted some of {', '.join(names)}")
    return np.array([by_class.get(name, min_score) for name in names], np.float32)


def published(found: Detections, least: NDArray[np.float32]) -> Detections:
    """Those that reach `least` of their class, a number for each class."""
    return picked(found, found.scores >= least[found.classes])


def picked(found: Detections, told: NDArray[np.bool_]) -> Detections:
    """Those of them."""
    return found if told.all() else _rows_of(found, told)


def best_first(found: Detections) -> Detections:
    """All of them, in the order of their scores."""
    return _rows_of(found, np.argsort(-found.scores, kind="stable"))


def _rows_of(found: Detections, rows: NDArray[Any]) -> Detections:
    tracks = None if found.tracks is None else found.tracks[rows]
    return Detections(
        found.boxes[rows], found.scores[rows], found.classes[rows], found.names, tracks
    )
