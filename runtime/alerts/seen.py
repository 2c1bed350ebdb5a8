"""What one frame shows, each question answered once however many rules ask it."""

import math
from collections.abc import Collection
from functools import cached_property
from typing import Literal

import numpy as np

from stopline.runtime.alerts.growth import Growth
from stopline.runtime.alerts.zones import Mask, Points, Polygon, ground_contact, in_frame
from stopline.runtime.arrays import Boxes
from stopline.runtime.detections import Detections

Box = tuple[float, float, float, float]
Touch = Literal["ground", "any"]


class Seen:
    """The objects of a frame that have a number, by their tracks."""

    def __init__(self, found: Detections, image_hw: tuple[int, int], growth: Growth) -> None:
        tracks = [] if found.tracks is None else found.tracks.tolist()
        self._rows = {track: row for row, track in enumerate(tracks) if track > 0}
        self._found = found
        self._hw = image_hw
        self._growth = growth
        self._in: dict[tuple[Polygon, Touch], set[int]] = {}
        self._rates: dict[int, float] = {}

    @cached_property
    def boxes(self) -> dict[int, Box]:
        """In pixels, by track."""
        pixels = self._found.boxes.tolist()
        return {track: tuple(pixels[row]) for track, row in self._rows.items()}

    def tracks_of(self, kind: str) -> set[int]:
        """All of a class."""
        return self._by_kind.get(kind, set())

    def tracks_in(self, polygon: Polygon, touch: Touch) -> set[int]:
        """All whose foot, or any part, is there."""
        asked = (polygon, touch)
        if asked not in self._in:
            there = self._touching(polygon, touch).tolist()
            self._in[asked] = {track for track, row in self._rows.items() if there[row]}
        return self._in[asked]

    def grows_by(self, track: int) -> float:
        """How fast it grows at least, 1/s; shrinking without end where that is not known."""
        if track not in self._rates:
            rate = self._growth.at_least(track)
            self._rates[track] = -math.inf if rate is None else rate
        return self._rates[track]

    def measure(self, kinds: Collection[str], scene_ns: int) -> None:
        """Let the growth of all of these classes be learned from it."""
        tracks = [track for kind in kinds for track in self.tracks_of(kind)]
        rows = [self._rows[track] for track in tracks]
        self._growth.see(tracks, self._shares[rows], scene_ns)

    def _touching(self, polygon: Polygon, touch: Touch) -> Mask:
        return polygon.touches(self._shares) if touch == "any" else polygon.holds(self._feet)

    @cached_property
    def _by_kind(self) -> dict[str, set[int]]:
        names, classes = self._found.names, self._found.classes.tolist()
        kinds: dict[str, set[int]] = {}
        for track, row in self._rows.items():
            kinds.setdefault(names[classes[row]], set()).add(track)
        return kinds

    @cached_property
    def _shares(self) -> Boxes:
        """(n, 4) in 0..1 of the frame."""
        return in_frame(np.asarray(self._found.boxes), self._hw)

    @cached_property
    def _feet(self) -> Points:
        return ground_contact(self._shares)
