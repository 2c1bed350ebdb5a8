"""Drawing with an account of what belongs to whom.

Everything is drawn twice: antialiased into the image, and plainly into a buffer of labels, from
which visibility is measured. While an object is open, the extent of what is drawn is its box.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.projection import Floats, Pinhole

FAT_PX = 0.65  # by which OpenCV's antialiased polygons are too large on every side, measured
SHIFT = 4  # fractional bits of the coordinates given to OpenCV
GROUND = 65_535  # the label of bare ground; 0 is all other scenery
OPAQUE = 110.0  # alpha above which a pixel of a picture counts as the object's own
COUNTED = 48  # rows and columns at most of a window in which pixels are counted
SMALLEST_SMEAR_PX, LARGEST_SMEAR_PX = 1.7, 60
LIMIT_PX = 12_000  # beyond this OpenCV's fixed-point coordinates overflow
Colour = tuple[float, float, float]  # BGR, 0..255
Box = tuple[float, float, float, float]  # xyxy
NOWHERE: Box = (np.inf, np.inf, -np.inf, -np.inf)


def _halo() -> NDArray[np.uint8]:
    """(64, 64) 0..255 the light around a lamp: a bright core in a wide veil."""
    line = (np.arange(64) - 31.5) / 32
    far = np.hypot(line[:, None], line[None])
    light = 0.75 * np.exp(-28 * far**2) + 0.25 * np.exp(-4.5 * far**2)
    faded = np.clip(light - 0.003, 0, 1) * np.clip(6 * (1 - far), 0, 1)
    return np.asarray(255 * faded, np.uint8)


HALO = _halo()


def bgr(colour: Floats) -> Colour:
    """(3,) → what OpenCV takes as a colour."""
    return float(colour[0]), float(colour[1]), float(colour[2])


@dataclass(slots=True)
class Drawn:
    """One object as it was drawn. `pixels` counts it before anything came in front of it."""

    id: int
    name: str
    box: Box  # within the image
    pixels: int


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Filled convex polygons in drawing order; what is not matter is paint on what is.

    Paint is drawn, but it has no extent and no label.
    """

    fixed: NDArray[np.int32]  # (k, c, 2) OpenCV's fixed point
    colours: list[Colour]
    matter: list[bool]
    box: Box  # of the matter, pixels


def outlines_of(
    points: Floats, colours: Floats, matter: NDArray[np.bool_], counts: NDArray[np.integer[Any]]
) -> list[Outlines]:
    """Polygons (m, c, 2), their colours (m, 3), and how many belong to each of n objects.

    All at once, because a call into numpy costs as much as drawing a polygon.
    """
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(int).tolist()
    low = np.where(matter[:, None], points.min(1) - FAT_PX, np.inf)
    high = np.where(matter[:, None], points.max(1) + FAT_PX, -np.inf)
    fixed, paints, solid = _fixed(points), colours.tolist(), matter.tolist()
    found = []
    for a, b in pairwise(ends):
        box = (*low[a:b].min(0).tolist(), *high[a:b].max(0).tolist()) if b > a else NOWHERE
        found.append(Outlines(fixed[a:b], paints[a:b], solid[a:b], box))
    return found


class Canvas:
    """An image being drawn from back to front, seen by one camera."""

    def __init__(self, image: Image, camera: Pinhole, without: frozenset[int]) -> None:
        self.image = image
        self.camera = camera
        self.labels: NDArray[np.uint16] = np.zeros(image.shape[:2], np.uint16)
        self.drawn: list[Drawn] = []
        self._without = without
        self._label = 0  # 0 is scenery
        self._hidden = False
        self._box: Box = NOWHERE

    @contextmanager
    def object(self, id: int, name: str, smear_px: float = 0.0) -> Iterator[None]:
        """What is drawn inside is one object, which moves across the image as the shutter is open.

        Its box is that of the middle of the exposure. Objects may not nest.
        """
        self._label, self._hidden = len(self.drawn) + 1, id in self._without
        self._box = NOWHERE
        yield
        drawn = Drawn(id, name, self._within(self._box), 0)
        drawn.pixels = self.count(drawn, self._label)
        self.drawn.append(drawn)
        if smear_px >= SMALLEST_SMEAR_PX and drawn.pixels:
            self._smear(drawn.box, min(round(smear_px), LARGEST_SMEAR_PX))
        self._label, self._hidden = 0, False

    def _within(self, box: Box) -> Box:
        """The box of what the open object shows in the image.

        Of one that crosses the border it is found from its pixels: what is outside would widen it.
        """
        height, width = self.labels.shape
        if box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height:
            return box
        rows, columns = self.window(box)
        mine = (self.labels[rows, columns] == self._label).view(np.uint8)
        if not mine.any():
            return NOWHERE
        x, y, w, h = cv2.boundingRect(mine)
        x, y = x + columns.start, y + rows.start
        return (
            max(box[0], x, 0.0), max(box[1], y, 0.0),
            min(box[2], x + w, float(width)), min(box[3], y + h, float(height)),
        )  # fmt: skip

    def _smear(self, box: Box, width: int) -> None:
        """Blur the open object and its seam along the rows; what is beside it stays sharp."""
        half = (width + 1) / 2
        rows, columns = self.window((box[0] - half, box[1], box[2] + half, box[3]))
        window = self.image[rows, columns]
        mine = (self.labels[rows, columns] == self._label).view(np.uint8)
        mask = cv2.dilate(mine, np.ones((1, width), np.uint8))
        cv2.copyTo(cv2.blur(window, (width, 1)), mask, window)

    def count(self, drawn: Drawn, label: int) -> int:
        """How many pixels carry the label now, of those counted: a grid where there are many."""
        rows, columns = self.window(drawn.box)
        # A step of its own each way, or a thin post would fall between the columns.
        down = max(1, (rows.stop - rows.start) // COUNTED)
        across = max(1, (columns.stop - columns.start) // COUNTED)
        window = self.labels[rows, columns][::down, ::across]
        return int(np.count_nonzero(window == label))

    def window(self, box: Box) -> tuple[slice, slice]:
        """The whole pixels that a box touches, and one more, within the image: rows, columns."""
        height, width = self.labels.shape
        x0, y0, x1, y1 = box
        if not x0 <= x1:  # nothing was drawn
            return slice(0, 0), slice(0, 0)
        top, bottom = max(0, min(height, int(y0) - 1)), max(0, min(height, int(y1) + 2))
        left, right = max(0, min(width, int(x0) - 1)), max(0, min(width, int(x1) + 2))
        return slice(top, bottom), slice(left, right)

    def draw(self, outlines: Outlines) -> None:
        """Draw polygons that were made ready."""
        self._grow(outlines.box)
        if self._hidden or not self._in_view(outlines.box):
            return
        image, labels, label = self.image, self.labels, self._label
        for outline, colour, is_solid in zip(
            outlines.fixed, outlines.colours, outlines.matter, strict=True
        ):
            cv2.fillConvexPoly(image, outline, colour, cv2.LINE_AA, SHIFT)
            if is_solid:
                cv2.fillConvexPoly(labels, outline, label, cv2.LINE_8, SHIFT)

    def polygons(self, points: Floats, colours: Sequence[Colour]) -> None:
        """Filled convex polygons (n, c, 2), one after the other."""
        everything = points.reshape(-1, 2)
        box = (*(everything.min(0) - FAT_PX).tolist(), *(everything.max(0) + FAT_PX).tolist())
        self.draw(Outlines(_fixed(points), list(colours), [True] * len(points), box))

    def polygon(self, points: Floats, colour: Colour) -> None:
        """A filled convex polygon, (c, 2) pixels; less than three corners are none."""
        if len(points) >= 3:
            self.polygons(points[None], [colour])

    def details(self, points: Floats, colours: Sequence[Colour]) -> None:
        """Convex polygons (n, c, 2) of paint on what is drawn."""
        if self._hidden:
            return
        for outline, colour in zip(_fixed(points), colours, strict=True):
            cv2.fillConvexPoly(self.image, outline, colour, cv2.LINE_AA, SHIFT)

    def strokes(self, lines: Floats, width_px: float, colour: Colour) -> None:
        """Open polylines (n, c, 2) pixels; at least a pixel wide."""
        width = max(1, round(width_px))
        everything, half = lines.reshape(-1, 2), width / 2 + 0.5
        x0, y0 = everything.min(0).tolist()
        x1, y1 = everything.max(0).tolist()
        box = (x0 - half, y0 - half, x1 + half, y1 + half)
        self._grow(box)
        if self._hidden or not self._in_view(box):
            return
        fixed = list(_fixed(lines))
        cv2.polylines(self.image, fixed, False, colour, width, cv2.LINE_AA, SHIFT)
        cv2.polylines(self.labels, fixed, False, self._label, width, cv2.LINE_8, SHIFT)

    def cover(self, rows: slice, columns: slice, layer: Image, outline: Floats) -> None:
        """Put scenery into a window of the image where it lies within a convex outline."""
        fixed = _fixed(outline - (columns.start, rows.start))
        mask: NDArray[np.uint8] = np.zeros(layer.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, fixed, 255, cv2.LINE_8, SHIFT)
        cv2.copyTo(layer, mask, self.image[rows, columns])
        cv2.fillConvexPoly(self.labels[rows, columns], fixed, 0, cv2.LINE_8, SHIFT)

    def claim(self, rows: slice, columns: slice, alpha: NDArray[np.uint8], box: Box) -> bool:
        """Account for a picture that is blended into a window; whether to blend it at all."""
        self._grow(box)
        if not self._hidden:
            _, solid = cv2.threshold(alpha, OPAQUE, 255, cv2.THRESH_BINARY)
            mine = np.full(alpha.shape, self._label, np.uint16)
            cv2.copyTo(mine, solid, self.labels[rows, columns])
        return not self._hidden

    def glow(self, middle: Floats, radius_px: float, colour: Floats) -> None:
        """Light that spreads around a lamp, added to what is there; (2,) pixels, BGR."""
        radius = int(min(max(radius_px, 2.0), 0.5 * self.image.shape[1]))
        x, y = (int(value) for value in np.clip(middle, -LIMIT_PX, LIMIT_PX))
        rows, columns = self.window(
            (x - radius + 1, y - radius + 1, x + radius - 2, y + radius - 2)
        )
        if rows.start >= rows.stop or columns.start >= columns.stop or self._hidden:
            return
        halo = cv2.resize(HALO, (2 * radius, 2 * radius), interpolation=cv2.INTER_LINEAR)
        part = halo[
            rows.start - y + radius : rows.stop - y + radius,
            columns.start - x + radius : columns.stop - x + radius,
        ]
        window = self.image[rows, columns]
        light = cv2.merge([cv2.convertScaleAbs(part, alpha=float(c) / 255) for c in colour])
        cv2.add(window, light, dst=window)

    def _grow(self, box: Box) -> None:
        if self._label:
            a, b = self._box, box
            self._box = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])

    def _in_view(self, box: Box) -> bool:
        height, width = self.labels.shape
        return box[2] > -1 and box[3] > -1 and box[0] < width + 1 and box[1] < height + 1


def _fixed(points: Floats) -> NDArray[np.int32]:
    """Pixels → OpenCV's fixed point, whose (0, 0) is the centre of the first pixel."""
    scaled = points * float(1 << SHIFT) - (1 << SHIFT) / 2
    limit = LIMIT_PX * (1 << SHIFT)
    np.minimum(np.maximum(scaled, -limit, out=scaled), limit, out=scaled)
    fixed: NDArray[np.int32] = np.rint(scaled, out=scaled).astype(np.int32)
    return fixed
