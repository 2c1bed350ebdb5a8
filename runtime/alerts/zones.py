"""Which objects are in a polygon. Everything here is in 0..1 of the frame, x right, y down."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes

Points: TypeAlias = NDArray[np.floating[Any]]  # (n, 2) xy
Mask: TypeAlias = NDArray[np.bool_]  # (n,)
Point: TypeAlias = tuple[float, float]

JUST_INSIDE = 1e-6  # a foot that the frame's lower edge cuts off stands in a zone that ends there


def in_frame(boxes: Boxes, image_hw: tuple[int, int]) -> Boxes:
    """Boxes of pixels as shares of the frame, without what is beyond its edges."""
    height, width = image_hw
    shares: Boxes = np.clip(boxes / np.array([width, height, width, height], np.float64), 0, 1)
    return shares


def ground_contact(boxes: Boxes) -> Points:
    """(n, 2) where the objects stand: the middle of the lower edge."""
    contact = np.empty((len(boxes), 2))
    contact[:, 0] = (boxes[:, 0] + boxes[:, 2]) / 2
    contact[:, 1] = boxes[:, 3]
    return np.clip(contact, JUST_INSIDE, 1 - JUST_INSIDE, out=contact)


class Polygon:
    """Made once, and asked of every frame."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._starts: Points = np.array(points, np.float64)
        self._steps: Points = np.roll(self._starts, -1, axis=0) - self._starts
        self._x, self._y = self._starts.T
        self._next_y = self._y + self._steps[:, 1]
        level = self._steps[:, 1] == 0
        self._slope = self._steps[:, 0] / np.where(level, 1, self._steps[:, 1])

    def holds(self, points: Points) -> Mask:
        """(n,) by the number of edges to the right of each point: an odd one is inside."""
        x, y = points[:, :1], points[:, 1:]
        straddles = (self._y > y) != (self._next_y > y)  # (n, m)
        right_of = x < self._x + (y - self._y) * self._slope
        odd: Mask = np.logical_xor.reduce(straddles & right_of, axis=1)
        return odd

    def touches(self, boxes: Boxes) -> Mask:
        """(n,) whether any part of a box is in it, or any part of it in the box."""
        touched: Mask = self.holds(boxes[:, :2]) | self._crosses(boxes)
        return touched

    def _crosses(self, boxes: Boxes) -> Mask:
        """(n,) whether an edge is within the box for a part of its length.

        Clipped to the box on one axis after the other (Liang and Barsky, ACM TOG 1984).
        """
        shape = len(boxes), len(self._starts)
        enters, leaves = np.zeros(shape), np.ones(shape)
        for axis in (0, 1):
            low, high = boxes[:, axis : axis + 1], boxes[:, axis + 2 : axis + 3]
            start, step = self._starts[:, axis], self._steps[:, axis]
            still = step == 0
            along = np.where(still, 1, step)
            first, last = (low - start) / along, (high - start) / along
            outside = still & ((start < low) | (start > high))
            enters = np.maximum(enters, np.where(still, 0, np.minimum(first, last)))
            leaves = np.minimum(leaves, np.where(still, 1, np.maximum(first, last)))
            leaves = np.where(outside, -1, leaves)
        crossed: Mask = np.any(enters <= leaves, axis=1)
        return crossed


def crossing_edges(points: Sequence[Point]) -> tuple[int, int] | None:
    """The first two edges that meet where they should not; edge k goes from point k to the next."""
    count = len(points)
    edges = [(points[k], points[(k + 1) % count]) for k in range(count)]
    for one in range(count):
        for other in range(one + 1, count):
            neighbours = other - one in (1, count - 1)
            if not neighbours and _meet(*edges[one], *edges[other]):
                return one, other
    return None


def area(points: Sequence[Point]) -> float:
    """As a share of the frame, by the shoelace formula."""
    x, y = np.array(points, float).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the line from a to b and the one from c to d have a point in common."""
    if _turn(a, b, c) != _turn(a, b, d) and _turn(c, d, a) != _turn(c, d, b):
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(_turn(*three) == 0 and _between(*three) for three in ends)


def _turn(a: Point, b: Point, c: Point) -> int:
    """1 or -1 by the side of the line from a to b on which c is, 0 on it."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)


def _between(a: Point, b: Point, c: Point) -> bool:
    return all(min(a[k], b[k]) <= c[k] <= max(a[k], b[k]) for k in (0, 1))
