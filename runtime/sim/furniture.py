"""What stands at the kerb: lampposts, traffic lights, bins, hydrants, benches."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.capsules import capsules
from stopline.runtime.sim.chance import between, one_of
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.shade import Place
from stopline.runtime.sim.solids import Faces, Model, Placed, box

# A lamppost's column, its lit side, foot, arm and head: how bright, and how round their ends.
DULL = np.array([[0.75], [1.0], [0.72], [0.9], [0.9]])
FLAT = np.array([0.0, 0, 0, 1, 1, 1])
LAMP_LIT = np.array([190.0, 225, 245])
SIGNAL_S = 24.0  # one cycle of a traffic light: green, amber, red
LAMPS = ((50, 45, 245), (40, 175, 255), (150, 235, 90))  # red, amber, green


@dataclass(frozen=True, slots=True)
class Lamppost:
    """A pole with an arm over the street; `towards` is the sign of the arm's x."""

    id: int
    x: float
    z: float
    height: float
    radius: float
    arm: float
    towards: int
    paint: Colour
    lantern: int  # 0 a flat head on an arm, 1 a globe on the top

    name = "pole"
    reach_m = 3.0

    @property
    def light_xyz(self) -> tuple[float, float, float]:
        reach = 0.0 if self.lantern else self.towards * self.arm
        return self.x + reach, self.height, self.z

    def draw(self, canvas: Canvas, place: Place) -> None:
        if place.depth_m < NEAR_M + 0.5:
            return
        shade, px, light = place.shade, place.px_per_m, place.stage.light
        x, y, z = self.light_xyz
        heights = [0, 0.7, self.height, self.height - 0.1, y + 0.25, y + 0.1]
        across = [self.x, self.x, self.x, self.x, x, x]
        spots = np.stack([across, heights, np.full(6, z)], axis=1)
        points, _ = canvas.camera.project(spots)
        limbs = self._limbs(points, px)
        paint, glass = np.array(self.paint, float), np.full(3, 200.0)
        lamp = shade.round(glass, 0.6) if light.artificial == 0 else LAMP_LIT
        colours = [bgr(colour) for colour in shade.round(paint * DULL, 0.4)] + [bgr(lamp)]
        with canvas.object(self.id, self.name, place.smear_px):
            if light.artificial > 0:
                canvas.glow(points[5], 2.2 * px, 190 * light.lamp * float(shade.clear[0]))
            canvas.polygons(capsules(limbs, FLAT), colours)

    def _limbs(self, points: Floats, px: float) -> Floats:
        """(6, 6) column, its lit side, foot, arm, head and lamp as capsules."""
        foot, knee, top, arm, end, lamp = points.tolist()
        wide, thin = max(0.6, self.radius * px), max(0.5, 0.05 * px)
        half, thick = max(0.8, 0.32 * px), max(0.6, 0.07 * px)
        lit = 0.35 * wide
        if self.lantern:
            globe = max(0.8, 0.2 * px)
            head, glass = [*lamp, thin, *lamp, thin], [*lamp, globe, *lamp, globe]
        else:
            head = [end[0] - half, end[1], thick, end[0] + half, end[1], thick]
            flat = 0.7 * half, end[1] + thick, 0.7 * thick
            glass = [end[0] - flat[0], *flat[1:], end[0] + flat[0], *flat[1:]]
        column = [*foot, wide, *top, 0.55 * wide]
        side = [foot[0] + lit, foot[1], 0.5 * wide, top[0] + 0.5 * lit, top[1], 0.3 * wide]
        base = [*foot, 1.5 * wide, *knee, 1.4 * wide]
        return np.array([column, side, base, [*arm, thin, *end, thin], head, glass])


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """A housing with three lamps, on its post or hung from an arm over the street."""

    id: int
    x: float
    z: float
    foot_m: float  # of the housing
    post_x: float
    offset_s: float  # where in its cycle it is at t = 0
    housing: Colour
    board: bool  # a black board behind it with a pale edge
    time_s: float = 0.0  # now

    name = "traffic light"
    reach_m = 6.0

    @property
    def lit(self) -> int:
        """0 red, 1 amber, 2 green."""
        at = (self.time_s + self.offset_s) % SIGNAL_S / SIGNAL_S
        return 2 if at < 0.45 else 1 if at < 0.53 else 0

    def placed(self) -> Placed:
        """Its housing where it hangs."""
        return Placed(_housing_of(self.housing, self.board, self.foot_m), self.x, self.z)

    def draw_model(self, canvas: Canvas, place: Place, model: Model) -> None:
        """Draw it, its housing made ready."""
        if place.depth_m < NEAR_M + 0.5:
            return
        self._support(canvas, place)
        with canvas.object(self.id, self.name, place.smear_px):
            model.draw(canvas)
            self._lamps(canvas, place)

    def _support(self, canvas: Canvas, place: Place) -> None:
        grey = bgr(place.shade.round(np.full(3, 95.0), 0.5))
        top = self.foot_m + (0.5 if self.post_x == self.x else 1.2)
        z = self.z + 0.15
        spots = np.array([[self.post_x, 0, z], [self.post_x, top, z], [self.x, top, z]])
        (foot, bend, end), _ = canvas.camera.project(spots)
        wide = max(0.6, 0.065 * place.px_per_m)
        limbs = [[*foot, wide, *bend, 0.8 * wide], [*bend, 0.8 * wide, *end, 0.6 * wide]]
        count = 1 if self.post_x == self.x else 2
        canvas.polygons(capsules(np.array(limbs[:count])), [grey] * count)

    def _lamps(self, canvas: Canvas, place: Place) -> None:
        shade, light = place.shade, place.stage.light
        up = self.foot_m + 0.81 - 0.32 * np.arange(3)
        middles = np.stack([np.full(3, self.x), up, np.full(3, self.z - 0.11)], 1)
        points, depth = canvas.camera.project(middles)
        radius = 0.125 * canvas.camera.px_per_m(float(depth[0]))
        colours = np.array(LAMPS, float)
        glass = shade.round(0.28 * colours, 0.3)
        glass[self.lit] = shade.through_haze(colours[self.lit])
        hood = bgr(shade.round(np.full(3, 18.0), 0.2))
        rings = [
            [*point, size, *point, size] for size in (1.2 * radius, radius) for point in points
        ]
        paints = [hood] * 3 + [bgr(colour) for colour in glass]
        if radius > 2.5:
            rings.append([*points[self.lit], 0.55 * radius, *points[self.lit], 0.55 * radius])
            paints.append(bgr(np.minimum(255, 0.5 * colours[self.lit] + 130)))
        canvas.details(capsules(np.array(rings)), paints)
        if light.artificial > 0:
            glow = 0.5 * light.artificial * float(shade.clear[0])
            canvas.glow(points[self.lit], 6 * radius, glow * colours[self.lit])


@lru_cache(64)
def _housing_of(paint: Colour, board: bool, foot: float) -> Faces:
    """The box of the three lamps, and perhaps a black board with a pale edge behind it."""
    parts = [Faces.of(box((0.34, 0.98, 0.2), (0, foot, 0)), paint)]
    if board:
        parts.append(Faces.of(box((0.62, 1.2, 0.02), (0, foot - 0.11, 0.13)), (150, 190, 200)))
        parts.append(Faces.of(box((0.56, 1.14, 0.02), (0, foot - 0.08, 0.11)), (20, 20, 20)))
    return Faces.join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Clutter:
    """A bin, box, hydrant, bench or bollard: nothing a detector should report."""

    faces: Faces
    x: float
    z: float

    reach_m = 1.5

    def placed(self) -> Placed:
        return Placed(self.faces, self.x, self.z)

    def draw_model(self, canvas: Canvas, place: Place, model: Model) -> None:
        """Draw it, its body made ready."""
        model.draw(canvas)


def clutter_of(rng: np.random.Generator, x: float, z: float) -> Clutter:
    """Something that stands about."""
    colour = one_of(rng, ((40, 90, 40), (60, 60, 62), (40, 40, 170), (150, 80, 40), (40, 180, 220)))
    kind = int(rng.integers(5))
    if kind == 0:  # a litter bin
        parts = [box((0.5, 0.95, 0.5), (0, 0, 0))]
    elif kind == 1:  # a cabinet
        parts = [box((0.4, 1.3, between(rng, 0.7, 1.4)), (0, 0, 0))]
    elif kind == 2:  # a hydrant
        parts = [box((0.2, 0.65, 0.2), (0, 0, 0)), box((0.36, 0.14, 0.14), (0, 0.38, 0))]
        colour = one_of(rng, ((40, 40, 190), (50, 190, 225)))
    elif kind == 3:  # a bench
        parts = [box((0.5, 0.08, 1.6), (0, 0.42, 0)), box((0.08, 0.5, 1.6), (0.25, 0.45, 0))]
        colour = (50, 85, 120)
    else:  # a bollard
        parts = [box((0.14, 0.95, 0.14), (0, 0, 0))]
        colour = one_of(rng, ((60, 60, 60), (200, 200, 205), (40, 170, 220)))
    return Clutter(Faces.of(np.concatenate(parts), colour), x, z)
