"""What is painted on the asphalt at a junction: crossings, stop lines; and patches in it."""

import numpy as np

from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.chance import between, dice, happens
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.surface import Paint

MARKINGS_KEY = 19
CROSSING_M = 3.0  # how long the bars of a crossing are
SEEN_M = 70.0


class Markings:
    """The painted marks of a street's junctions and the patches in its asphalt."""

    def __init__(self, seed: int, street: Street, paint: Paint, light: Light) -> None:
        self._seed, self._street = seed, street
        worn = paint.line + 0.6 * paint.wear * (paint.asphalt - paint.line)
        self._white = bgr(np.minimum(worn * light.brightest, 255))
        self._patch = bgr(paint.asphalt * 0.78 * light.brightest)
        self._hole = bgr(paint.asphalt * 0.45 * light.brightest)

    def draw(self, canvas: Canvas, junctions: list[tuple[int, float, float]]) -> None:
        """`junctions` are index, begin and end in z."""
        for index, start, end in junctions:
            rng = dice(self._seed, MARKINGS_KEY, index)
            self._draw(canvas, self._patches(rng, start), self._patch)
            self._draw(canvas, self._manholes(rng, start), self._hole)
            bars = [self._stop_line(start - 5.0 if happens(rng, 0.85) else start - 1.5)]
            if happens(rng, 0.75):
                bars.append(self._crossing(start - 4.2))
                bars.append(self._crossing(end + 1.0))
            self._draw(canvas, np.concatenate(bars), self._white)

    def _crossing(self, z: float) -> Floats:
        """(n, 4, 3) bars along the street, side by side."""
        kerb = self._street.kerb_m - 0.4
        x = np.arange(-kerb, kerb - 0.45, 0.95)
        return np.stack([_rectangle(left, z, 0.5, CROSSING_M) for left in x])

    def _stop_line(self, z: float) -> Floats:
        """(1, 4, 3) across the lanes of one direction."""
        wide = self._street.lanes * self._street.lane_m - 0.25
        left = 0.15 if self._street.drives_on > 0 else -wide - 0.15
        return _rectangle(left, z, wide, 0.4)[None]

    def _patches(self, rng: np.random.Generator, start: float) -> Floats:
        """(n, 4, 3) repairs in the block before the junction."""
        block = self._street.block_m
        return np.stack(
            [
                _rectangle(
                    between(rng, -self._street.kerb_m + 0.5, self._street.kerb_m - 2),
                    start - between(rng, 8, block), between(rng, 0.8, 2.0), between(rng, 1, 6),
                )
                for _ in range(3)
            ]
        )  # fmt: skip

    def _manholes(self, rng: np.random.Generator, start: float) -> Floats:
        """(n, 12, 3) round lids."""
        turns = 2 * np.pi * np.arange(12) / 12
        circle = 0.34 * np.stack([np.cos(turns), 0 * turns, np.sin(turns)], 1)
        kerb, block = self._street.kerb_m - 1, self._street.block_m
        places = [[between(rng, -kerb, kerb), 0, start - between(rng, 8, block)] for _ in range(3)]
        lids: Floats = circle[None] + np.array(places)[:, None]
        return lids

    def _draw(self, canvas: Canvas, shapes: Floats, colour: Colour) -> None:
        """Those of the shapes (n, k, 3) that lie wholly ahead and near enough to be seen."""
        camera = canvas.camera
        seen = camera.camera_from_world(shapes.reshape(-1, 3)).reshape(shapes.shape)
        depth = seen[..., 2]
        for corners in shapes[(depth.min(1) < NEAR_M) & (depth.max(1) > NEAR_M)]:
            canvas.polygon(camera.polygon(corners), colour)
        kept = seen[(depth.min(1) >= NEAR_M) & (depth.min(1) < SEEN_M)]
        if len(kept):
            flat = camera.pixels_from_camera(kept.reshape(-1, 3)).reshape(len(kept), -1, 2)
            canvas.polygons(flat, [colour] * len(kept))


def _rectangle(x: float, z: float, wide: float, deep: float) -> Floats:
    """(4, 3) on the ground."""
    return np.array([[x, 0, z + deep], [x + wide, 0, z + deep], [x + wide, 0, z], [x, 0, z]], float)
