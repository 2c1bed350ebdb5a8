"""Which images of a labelled set show, few as they are, all that the set has to show."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stopline.devices.coco import LabelledImage

NO_OBJECT = "no object"  # the stratum of images without a box


def picked(images: Sequence[LabelledImage], count: int) -> list[int]:
    """Indices of up to `count` images, in order; the same for the same set.

    Each class, the rarest first, gets an equal share of the places; what is left is spread over
    the set. Within a share, images of a group that has no place yet come first, so that the
    frames of one drive do not take them all.
    """
    places = _Places(images, count)
    shows = _images_of_class(images)
    share = count // (len(shows) + 1)
    for of_class in sorted(shows.values(), key=len):
        taken = int(places.taken[of_class].sum())
        places.give(of_class, share - taken)
    places.give(np.arange(len(images)), count)
    indices: list[int] = np.flatnonzero(places.taken).tolist()
    return indices


def strata(images: Sequence[LabelledImage]) -> dict[str, int]:
    """How many of the images show each class, by its name; crowds are not counted."""
    shown = Counter(name for image in images for name in _shown(image) or {NO_OBJECT})
    return dict(sorted(shown.items()))


class _Places:
    """Which images have a place, and how many of each group do."""

    def __init__(self, images: Sequence[LabelledImage], count: int) -> None:
        names = [image.group or f"alone {at}" for at, image in enumerate(images)]
        self._group = np.unique(names, return_inverse=True)[1]
        self._of_group = np.zeros(len(images), np.int64)
        self._left = count
        self.taken = np.zeros(len(images), np.bool_)

    def give(self, candidates: NDArray[np.int64], most: int) -> None:
        """Up to `most` more places, to candidates from all over."""
        order = candidates[_spread_out(len(candidates))]
        for _ in range(min(most, self._left)):
            free = order[~self.taken[order]]
            if free.size == 0:
                return
            first = free[np.argmin(self._of_group[self._group[free]])]
            self.taken[first] = True
            self._of_group[self._group[first]] += 1
            self._left -= 1


def _images_of_class(images: Sequence[LabelledImage]) -> dict[str, NDArray[np.int64]]:
    shows: dict[str, list[int]] = {}
    for at, image in enumerate(images):
        for name in sorted(_shown(image)):
            shows.setdefault(name, []).append(at)
    return {name: np.array(rows, np.int64) for name, rows in shows.items()}


def _shown(image: LabelledImage) -> set[str]:
    return {name for name, crowd in zip(image.names, image.crowd, strict=True) if not crowd}


def _spread_out(count: int) -> NDArray[np.int64]:
    """0..count in an order whose every beginning is spread out: van der Corput's sequence."""
    at = np.arange(count)
    place, half = np.zeros(count), 0.5
    while at.any():
        place += half * (at % 2)
        at, half = at // 2, half / 2
    return np.argsort(np.argsort(place, kind="stable"), kind="stable")
