"""A labelled set without a data pack: views of the street in road-nano's own self-test.

The labels are what FP32 finds, with each corner moved a little: FP32 is then right at the lower
IoUs and not at the higher, as on a labelled set, and who answers as it does is right as often.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from stopline.devices.coco import CocoSet, LabelledImage
from stopline.devices.fidelity import Evidence
from stopline.export.quantize.score import found_by_fp32
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.selftest import read_selftest

COUNT = 6
MOVED = 0.08  # of the side of a box


def views(bundle: Bundle) -> Iterator[Image]:
    """Crops of 3/4 of each side, mirrored every second time, brighter and darker."""
    street = read_selftest(bundle).image
    height, width = (side * 3 // 4 for side in street.shape[:2])
    for at in range(COUNT):
        y, x = (at % 3) * height // 9, (at // 3) * width // 6
        crop = street[y : y + height, x : x + width]
        lit = cv2.convertScaleAbs(crop, alpha=0.8 + 0.08 * at)
        yield np.ascontiguousarray(lit[:, :: 1 if at % 2 else -1])


def evidence(bundle: Bundle, folder: Path) -> Evidence:
    """Written to files, as labelled images are."""
    images = list(views(bundle))
    unlabelled = [_written(image, folder / f"{at}.png") for at, image in enumerate(images)]
    found = found_by_fp32(bundle, CocoSet("views", bundle.manifest.classes, tuple(unlabelled)))
    random = np.random.default_rng(0)
    labelled = tuple(_moved(image, random) for image in found.images)
    return Evidence(images, "views", CocoSet("views", found.classes, labelled))


def _moved(image: LabelledImage, random: np.random.Generator) -> LabelledImage:
    sides = image.boxes[:, 2:] - image.boxes[:, :2]
    by = random.uniform(-MOVED, MOVED, image.boxes.shape) * np.tile(sides, 2)
    return replace(image, boxes=(image.boxes + by).astype(np.float32))


def _written(image: Image, path: Path) -> LabelledImage:
    cv2.imwrite(str(path), image)
    height, width = image.shape[:2]
    nothing = np.zeros((0, 4), np.float32), (), np.zeros(0, np.bool_)
    return LabelledImage(path, width, height, frozenset(), frozenset(), {}, *nothing)
