"""Flip, colour, blur and compression: what changes a picture without changing what is in it."""

import cv2
import numpy as np
from numpy.random import Generator
from torch import Tensor
from torchvision.transforms.v2 import functional as F
from torchvision.tv_tensors import BoundingBoxes, BoundingBoxFormat

from stopline.runtime.arrays import Image
from stopline.train.marks import Marks
from stopline.train.recipe import Augment

LUMA = np.array([0.114, 0.587, 0.299])  # of BGR, ITU-R BT.601
MIDDLE = 128  # the grey that contrast turns about


def vary(canvas: Image, marks: Marks, augment: Augment, rng: Generator) -> Marks:
    """Change the picture in place; gives the marks where its objects are now."""
    cv2.transform(canvas, colour(augment, rng), dst=canvas)
    if rng.random() < augment.blur:
        cv2.GaussianBlur(canvas, (5, 5), float(rng.uniform(0.3, 1.5)), dst=canvas)
    if rng.random() < augment.jpeg:
        canvas[:] = compressed(canvas, int(rng.integers(30, 90)))
    if rng.random() < augment.flip:
        canvas[:] = canvas[:, ::-1].copy()
        marks = flipped(marks, (canvas.shape[0], canvas.shape[1]))
    return marks


def colour(augment: Augment, rng: Generator) -> np.ndarray:
    """(3, 4) what BGR1 is multiplied with: saturation, contrast and brightness at once.

    Hue is left alone: red and green mean something on a road.
    """
    saturation, contrast, brightness = (
        1 + rng.uniform(-most, most)
        for most in (augment.saturation, augment.contrast, augment.brightness)
    )
    mixed = saturation * np.eye(3) + (1 - saturation) * LUMA[None]
    grey = np.full((3, 1), (1 - contrast) * MIDDLE)
    return brightness * np.hstack([contrast * mixed, grey])


def compressed(image: Image, quality: int) -> Image:
    """As a JPEG of that quality, 1 to 100, would give it back."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def flipped(marks: Marks, canvas_hw: tuple[int, int]) -> Marks:
    """Left for right."""
    boxes = BoundingBoxes(marks.boxes, format=BoundingBoxFormat.XYXY, canvas_size=canvas_hw)
    moved: Tensor = F.horizontal_flip(boxes).as_subclass(Tensor)
    return Marks(moved, marks.kinds, marks.known)
