"""Bicycles and motorcycles; who rides them is a person of their own."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.capsules import capsules
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.shade import Place, Shade
from stopline.runtime.sim.solids import Faces, Lamp, Placed, box, models

TwoWheels = Literal["bicycle", "motorcycle"]

SADDLE_M = 0.1  # how much higher a rider sits than the riding pose does on the ground
TUBES_PX = 9  # px per metre from which there is more to see of a bicycle than its outline
SPOKES_PX = 55

RUBBER, STEEL = (30, 30, 30), (125, 125, 125)
SEAT, FORK, CRANK = (0, 0.9, -0.18), (0, 0.86, 0.34), (0, 0.3, -0.05)
REAR, FRONT = (0, 0.34, -0.52), (0, 0.34, 0.52)
# (from, to, width in metres); the frame is painted, the rest dark
FRAME = ((REAR, CRANK, 0.045), (CRANK, FORK, 0.05), (FORK, SEAT, 0.045), (SEAT, CRANK, 0.045),
         (REAR, SEAT, 0.035), (FORK, FRONT, 0.045))  # fmt: skip
FITTINGS = ((SEAT, (0, 0.98, -0.2), 0.04), ((0, 0.98, -0.3), (0, 0.98, -0.08), 0.09),
            ((-0.27, 1.02, 0.28), (0, 1.0, 0.34), 0.04), ((0, 1.0, 0.34), (0.27, 1.02, 0.28), 0.04),
            (FORK, (0, 1.0, 0.34), 0.04))  # fmt: skip
BIKE_TUBES = np.array([[*a, *b] for a, b, _ in FRAME + FITTINGS], float).reshape(-1, 2, 3)
BIKE_WIDTHS = np.array([width for _, _, width in FRAME + FITTINGS])
MOTOR_TUBES = np.array(
    [[(0, 0.3, 0.7), (0, 0.95, 0.45)], [(-0.36, 1.05, 0.4), (0, 0.98, 0.45)],
     [(0, 0.98, 0.45), (0.36, 1.05, 0.4)]]
)  # fmt: skip
MOTOR_WIDTHS = np.array([0.09, 0.05, 0.05])
BIKE_AXLES, MOTOR_AXLES = (-0.52, 0.52), (-0.68, 0.7)


def _rings(axles: tuple[float, float], radius: float) -> Floats:
    """(2·17, 3) the rims of both wheels."""
    turns = np.linspace(0, 2 * np.pi, 17)
    up, along = radius * (1 + np.sin(turns)), radius * np.cos(turns)
    return np.concatenate([np.stack([0 * turns, up, axle + along], 1) for axle in axles])


BIKE_RINGS, MOTOR_RINGS = _rings(BIKE_AXLES, 0.34), _rings(MOTOR_AXLES, 0.3)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A bicycle or motorcycle at a place; `heading` 0 rides along +z."""

    id: int
    name: TwoWheels
    x: float
    z: float
    heading: float
    paint: Colour
    roll: float = 0.0  # of the wheels, radians
    lit: bool = False

    reach_m = 1.3

    def draw(self, canvas: Canvas, place: Place) -> None:
        if place.depth_m < NEAR_M + 1.2:
            return
        with canvas.object(self.id, self.name, place.smear_px):
            if self.name == "bicycle":
                self._bicycle(canvas, place)
            else:
                self._motorcycle(canvas, place)

    def _pixels(self, canvas: Canvas, local: Floats) -> Floats:
        """(n, 3) right, up, forward → (n, 2)."""
        sin, cos = np.sin(self.heading), np.cos(self.heading)
        turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        points, _ = canvas.camera.project(local @ turn + (self.x, 0, self.z))
        return points

    def _bicycle(self, canvas: Canvas, place: Place) -> None:
        px, shade = place.px_per_m, place.shade
        dark, frame = _lit(shade, RUBBER), _lit(shade, self.paint)
        count = len(BIKE_WIDTHS) if px > TUBES_PX else len(FRAME)
        tubes, colours = BIKE_TUBES[:count], [frame] * len(FRAME) + [dark] * len(FITTINGS)
        points = self._pixels(canvas, np.concatenate([BIKE_RINGS, tubes.reshape(-1, 3)]))
        canvas.strokes(points[: len(BIKE_RINGS)].reshape(2, -1, 2), 0.045 * px, dark)
        if px > SPOKES_PX:
            self._spokes(canvas, shade)
        limbs = _limbs(points[len(BIKE_RINGS) :], BIKE_WIDTHS[:count] * px)
        canvas.polygons(limbs, colours[:count])

    def _spokes(self, canvas: Canvas, shade: Shade) -> None:
        turns = self.roll + np.pi * np.arange(6) / 6
        along = 0.31 * np.stack([0 * turns, np.sin(turns), np.cos(turns)], 1)
        hubs = [np.array([0, 0.34, axle]) for axle in BIKE_AXLES]
        ends = np.concatenate([np.stack([hub - along, hub + along], 1) for hub in hubs])
        points = self._pixels(canvas, ends.reshape(-1, 3))
        canvas.strokes(points.reshape(-1, 2, 2), 1, _lit(shade, STEEL))

    def _motorcycle(self, canvas: Canvas, place: Place) -> None:
        px, shade = place.px_per_m, place.shade
        dark, steel = _lit(shade, RUBBER), _lit(shade, STEEL)
        points = self._pixels(canvas, np.concatenate([MOTOR_RINGS, MOTOR_TUBES.reshape(-1, 3)]))
        canvas.strokes(points[: len(MOTOR_RINGS)].reshape(2, -1, 2), 0.13 * px, dark)
        limbs = _limbs(points[len(MOTOR_RINGS) :], MOTOR_WIDTHS * px)
        canvas.polygons(limbs, [steel, dark, dark])
        lit = float(self.lit)
        body = Placed(_engine(self.paint), self.x, self.z, self.heading, lit, lit)
        models([body], shade.of(None), canvas.camera)[0].draw(canvas)


@lru_cache(64)
def _engine(paint: Colour) -> Faces:
    """What is solid of a motorcycle."""
    parts = [
        Faces.of(box((0.28, 0.34, 0.55), (0, 0.3, 0.0)), (50, 50, 52)),
        Faces.of(box((0.26, 0.26, 0.55), (0, 0.64, 0.16)), paint),
        Faces.of(box((0.26, 0.14, 0.75), (0, 0.68, -0.42)), (30, 30, 30)),
        Faces.of(box((0.2, 0.12, 0.25), (0, 0.74, -0.8)), paint),
        Faces.of(box((0.16, 0.08, 0.02), (0, 0.76, -0.94)), (35, 30, 190), 1, Lamp.TAIL),
        Faces.of(box((0.2, 0.18, 0.1), (0, 0.84, 0.58)), (220, 220, 215), 0, Lamp.HEAD),
    ]
    return Faces.join(parts)


def _limbs(ends: Floats, widths: Floats) -> Floats:
    """(2·n, 2) ends of tubes and (n,) widths, px → (n, c, 2) outlines."""
    pairs, half = ends.reshape(-1, 2, 2), np.maximum(widths / 2, 0.35)[:, None]
    return capsules(np.concatenate([pairs[:, 0], half, pairs[:, 1], half], axis=1))


def _lit(shade: Shade, paint: Colour) -> Colour:
    return bgr(shade.round(np.array(paint, float), 0.5))
