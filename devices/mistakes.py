"""The worst of what a detector missed and of what it saw where nothing is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stopline.devices.coco import LabelledImage
from stopline.devices.confusion import IGNORED, Matches


@dataclass(frozen=True, slots=True)
class Mistake:
    """A label that no detection of its class lies on, or a detection that lies on none.

    `score` is of the detection: None for what was missed and taken for nothing else.
    `confused_with` is what a missed label was taken for, or on what a false detection lies.
    """

    image: LabelledImage
    box: tuple[float, float, float, float]  # xyxy, pixels of the image
    name: str
    score: float | None
    confused_with: str | None


def worst_missed(
    matched: Sequence[Matches], classes: Sequence[str], count: int
) -> tuple[Mistake, ...]:
    """The largest labels that were missed; what is large and near is what must not be missed."""
    missed = [mistake for match in matched for mistake in _missed(match, classes)]
    return _first(missed, count, _area)


def worst_false(
    matched: Sequence[Matches], classes: Sequence[str], count: int
) -> tuple[Mistake, ...]:
    """The false detections with the highest scores."""
    false = [mistake for match in matched for mistake in _false(match, classes)]
    return _first(false, count, lambda mistake: mistake.score or 0.0)


def _missed(match: Matches, classes: Sequence[str]) -> list[Mistake]:
    one, on_label = match.judged, {int(row): at for at, row in enumerate(match.label_of)}
    mistakes = []
    for row in np.flatnonzero(~one.crowd):
        at = on_label.get(int(row))
        if at is not None and one.found_classes[at] == one.classes[row]:
            continue
        taken_for = None if at is None else classes[one.found_classes[at]]
        score = None if at is None else float(one.found_scores[at])
        name = classes[one.classes[row]]
        mistakes.append(Mistake(one.image, _box(one.boxes[row].tolist()), name, score, taken_for))
    return mistakes


def _false(match: Matches, classes: Sequence[str]) -> list[Mistake]:
    one = match.judged
    mistakes = []
    for at, row in enumerate(match.label_of.tolist()):
        if row == IGNORED or (row >= 0 and one.found_classes[at] == one.classes[row]):
            continue
        lies_on = classes[one.classes[row]] if row >= 0 else None
        name, score = classes[one.found_classes[at]], float(one.found_scores[at])
        box = _box(one.found_boxes[at].tolist())
        mistakes.append(Mistake(one.image, box, name, score, lies_on))
    return mistakes


def _first(
    mistakes: Sequence[Mistake], count: int, worth: Callable[[Mistake], float]
) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=worth, reverse=True)[:count])


def _area(mistake: Mistake) -> float:
    x0, y0, x1, y1 = mistake.box
    return (x1 - x0) * (y1 - y0)


def _box(row: list[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = row
    return x0, y0, x1, y1
