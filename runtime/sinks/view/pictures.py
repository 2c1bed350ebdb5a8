"""JPEG images for those who look, each made once for all of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.frame import Result
from stopline.runtime.sinks.draw import drawn

QUALITY = 80


Draw: TypeAlias = Callable[[Result, int], Image]  # with the most pixels it may be wide


class Wish(NamedTuple):
    """Of one camera: its newest result, which has that number, and the number of the one before."""

    newest: Result
    number: int
    has: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as it is sent, with the result it belongs to: boxes never come apart from it."""

    number: int
    result: Result
    jpeg: bytes
    made_ns: int


class Pictures:
    """Not for several threads: the page has one that makes them."""

    def __init__(self, most_fps: float, clock: Clock = time.monotonic_ns) -> None:
        """However many look, of each camera hardly more are made in a second than that."""
        self._every_ns = round(1e9 / most_fps)
        self._clock = clock
        self._made: dict[tuple[str, Draw], Picture] = {}

    def of(self, wish: Wish, width: int, draw: Draw) -> Picture:
        """This frame, or a newer one than `has` that was made for somebody else a moment ago."""
        camera, now_ns = wish.newest.camera, self._clock()
        kept = self._made.get((camera, draw))
        if kept is not None and wish.has < kept.number <= wish.number:
            young = now_ns - kept.made_ns < self._every_ns
            if young or kept.number == wish.number:
                return kept
        jpeg = jpeg_of(draw(wish.newest, width))
        made = self._made[camera, draw] = Picture(wish.number, wish.newest, jpeg, now_ns)
        return made


def jpeg_of(image: Image) -> bytes:
    """Raise ValueError for an image that has no pixels."""
    if image.size == 0:
        raise ValueError("an image without pixels: a view must be given results with theirs")
    done, encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not done:
        raise ValueError(f"cannot encode an image of {image.shape}")
    return encoded.tobytes()


def plain(result: Result, most_width: int) -> Image:
    """The frame, made narrower if it is wider than that."""
    assert result.frame is not None
    return narrowed(result.frame.image, most_width)


def narrowed(image: Image, most_width: int) -> Image:
    """Its shape is kept; a narrow one is not made wider."""
    height, width = image.shape[:2]
    if width <= most_width:
        return image
    size_wh = most_width, max(1, round(height * most_width / width))
    smaller: Image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )
    return smaller


def boxed(result: Result, most_width: int) -> Image:
    """The frame with its boxes burnt in, for what shows images and nothing else."""
    if result.frame is None:
        return drawn(result, (most_width, most_width * 9 // 16))
    small = narrowed(result.frame.image, most_width)
    found, scale = result.detections, small.shape[1] / result.frame.image.shape[1]
    return drawn(
        replace(
            result,
            frame=replace(result.frame, image=small),
            detections=replace(found, boxes=found.boxes * scale),
        )
    )
