"""The self-test of a bundle: one image, and the boxes that any machine must find in it."""

import io
from collections.abc import Sequence

import cv2
import numpy as np

from stopline.export.parity import BACKEND, COMPARED_FROM
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector, DetectorSettings

LONGEST = 640  # pixels of a side; the image travels with the bundle


def selftest_npz(bundle: Bundle, images: Sequence[Image]) -> bytes:
    """`image` (h, w, 3) uint8 and its `boxes` (n, 4) in pixels of it, `scores`, `classes`.

    Of the images, the one with the most boxes; `min_score` is the score they were found from.
    """
    with Detector(bundle, settings=DetectorSettings(BACKEND, min_score=COMPARED_FROM)) as detector:
        tried = [(image, detector(image)) for image in map(_travelling, images)]
    image, found = max(tried, key=lambda one: len(one[1]))
    content = io.BytesIO()
    np.savez_compressed(
        content,
        image=image,
        boxes=found.boxes,
        scores=found.scores,
        classes=found.classes,
        min_score=np.float32(COMPARED_FROM),
    )
    return content.getvalue()


def _travelling(image: Image) -> Image:
    scale = LONGEST / max(image.shape[:2])
    if scale >= 1:
        return image
    small: Image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)
    return small
