"""An image and its marks laid onto a canvas at some size and place, or four side by side."""

from dataclasses import dataclass

import cv2
import torch
from numpy.random import Generator
from torch import Tensor
from torchvision.ops import box_area
from torchvision.transforms.v2 import functional as F
from torchvision.tv_tensors import BoundingBoxes, BoundingBoxFormat

from stopline.runtime.arrays import Image
from stopline.train.marks import IGNORE, Marks

GREY = 114  # the padding the runtime uses too
MIN_VISIBLE = 0.35  # of an object; one that the canvas cuts more than that is ignored
MIN_SIDE = 3.0  # input pixels; what is smaller is ignored


@dataclass(frozen=True, eq=False)
class Sample:
    """Pixels and what is marked in them."""

    image: Image
    marks: Marks


Zoom = tuple[float, float]  # times the scale at which the image just fits


def place(sample: Sample, canvas: Image, zoom: Zoom, rng: Generator) -> Marks:
    """Draw the image into `canvas` and give its marks there.

    Anything between the whole image with padding around and a part of it, cropped, at random.
    """
    (ih, iw), (ch, cw) = sample.image.shape[:2], canvas.shape[:2]
    scale = min(cw / iw, ch / ih) * float(rng.uniform(*zoom))
    x = _span(iw, cw, scale, float(rng.random()))
    y = _span(ih, ch, scale, float(rng.random()))
    shown = sample.image[y.source : y.source + y.source_size, x.source : x.source + x.source_size]
    laid = canvas[y.at : y.at + y.size, x.at : x.at + x.size]
    # Bilinear without antialiasing, as in the runtime's letterbox: train on what it will see.
    cv2.resize(shown, (x.size, y.size), dst=laid)
    return _moved(sample, x, y)


@dataclass(frozen=True)
class Span:
    """Along one side: which source pixels are shown, and where on the canvas."""

    source: int
    source_size: int
    at: int
    size: int


def _span(image: int, canvas: int, scale: float, where: float) -> Span:
    laid = max(1, round(image * scale))
    if laid <= canvas:
        return Span(0, image, round((canvas - laid) * where), laid)
    shown = min(image, max(1, round(canvas / scale)))
    return Span(round((image - shown) * where), shown, 0, canvas)


def _moved(sample: Sample, x: Span, y: Span) -> Marks:
    """The marks where the image was laid; what is hardly there any more is ignored."""
    marks, (h, w) = sample.marks, sample.image.shape[:2]
    boxes = BoundingBoxes(marks.boxes, format=BoundingBoxFormat.XYXY, canvas_size=(h, w))
    crop = (y.source, x.source, y.source_size, x.source_size)
    inside = F.resized_crop(boxes, *crop, [y.size, x.size]).as_subclass(Tensor)
    stretch = torch.tensor([x.size / x.source_size, y.size / y.source_size] * 2)
    area, whole = box_area(inside), box_area(marks.boxes * stretch)
    sides = (inside[:, 2:] - inside[:, :2]).amin(1)
    hardly = (area < MIN_VISIBLE * whole) | (sides < MIN_SIDE)
    kinds = torch.where(hardly & (marks.kinds >= 0), IGNORE, marks.kinds)
    offset = torch.tensor([x.at, y.at, x.at, y.at], dtype=torch.float32)
    return Marks(inside + offset, kinds, marks.known)[area > 0]


def mosaic(samples: list[Sample], canvas: Image, zooms: list[Zoom], rng: Generator) -> Marks:
    """Four images, a corner of the canvas for each; they meet at a random point near the middle."""
    h, w = canvas.shape[:2]
    y, x = round(h * float(rng.uniform(0.35, 0.65))), round(w * float(rng.uniform(0.35, 0.65)))
    corners = ((0, y, 0, x), (0, y, x, w), (y, h, 0, x), (y, h, x, w))
    parts = []
    for sample, zoom, (top, bottom, left, right) in zip(samples, zooms, corners, strict=True):
        # A quarter of the canvas halves the scale that fits: draw larger, so that it stays useful.
        larger = (1.6 * zoom[0], 1.6 * zoom[1])
        marks = place(sample, canvas[top:bottom, left:right], larger, rng)
        offset = marks.boxes.new_tensor([left, top, left, top])
        parts.append(Marks(marks.boxes + offset, marks.kinds, marks.known))
    return Marks.join(parts)
