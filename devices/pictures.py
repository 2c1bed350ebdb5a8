"""Images on which two detectors, or two runs of one, are compared without labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.image_files import find_images, read_image
from stopline.runtime.sim import Road, RoadSettings

T = TypeVar("T")

AT_MOST = 24  # a difference between two graphs shows in the first few
STREETS = 6


def pictures(where: Path | None) -> list[Image]:
    """Up to 24 images spread over a folder; without one, rendered streets.

    Raises OSError or ValueError if there is no image.
    """
    if where is None:
        return streets(STREETS)
    found = find_images(where)
    if not found:
        raise ValueError(f"no images in {where}: wanted a folder of images")
    return [read_image(path) for path in spread(found)]


def spread(many: Sequence[T]) -> list[T]:
    """At most 24 of them, from first to last."""
    picked = np.linspace(0, len(many) - 1, min(AT_MOST, len(many))).round().astype(int)
    return [many[index] for index in picked.tolist()]


def streets(count: int) -> list[Image]:
    """(720, 1280, 3) images of as many streets, each with its own seed."""
    return [Road(RoadSettings(seed=seed)).view(2.0 * seed).image for seed in range(count)]
