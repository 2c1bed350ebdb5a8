"""Cars, vans, lorries and buses."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stopline.runtime.sim import bodies
from stopline.runtime.sim.bodies import Shape, panel
from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.chance import between, one_of
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.shade import Place
from stopline.runtime.sim.solids import Faces, Lamp, Model, Placed, box

CAR_PAINTS = (
    (235, 235, 235), (225, 225, 228), (185, 186, 190), (140, 140, 142), (85, 84, 84), (38, 37, 37),
    (24, 24, 25), (30, 30, 150), (40, 45, 190), (120, 60, 30), (160, 95, 45), (70, 95, 45),
    (40, 140, 200), (60, 190, 225), (60, 85, 115), (150, 165, 175), (90, 40, 60),
)  # fmt: skip
BUS_PAINTS = ((40, 40, 190), (200, 200, 200), (60, 150, 60), (170, 90, 40), (50, 180, 230))


HEAD_GLOW, TAIL_GLOW = np.array([235.0, 245, 255]), np.array([60.0, 45, 230])
CROSSING = (bodies.SALOON, bodies.HATCHBACK, bodies.ESTATE, bodies.VAN, bodies.BUS)


@dataclass(frozen=True, eq=False)
class Make:
    """One vehicle's body, around (0, 0) with its front to +z."""

    shape: Shape
    faces: Faces
    size: tuple[float, float, float]  # width, height, length
    axles: tuple[float, ...]
    wheel_m: float
    lamp_m: float  # height of its lamps
    rim: Colour

    @cached_property
    def circles(self) -> Floats:
        """(wheels, 4, CIRCLE, 3) of each wheel: arch, tyre, the tyre's inner edge, rim."""
        return _circles(self)


def make_of(rng: np.random.Generator, shape: Shape | None = None) -> Make:
    """A vehicle of the traffic's usual mixture, or of the given shape."""
    shape = shape or _mixture(rng)
    paint = _gloss(rng, one_of(rng, BUS_PAINTS if shape.stripe else CAR_PAINTS))
    stretch = (between(rng, 0.96, 1.05), between(rng, 0.95, 1.06), between(rng, 0.94, 1.07))
    faces = bodies.faces_of(shape, paint, stretch)
    axles = tuple(z * shape.length * stretch[2] for z in shape.wheels)
    if shape is bodies.LORRY_CAB:
        faces, axles = _with_load(rng, faces)
    low, high = faces.corners.reshape(-1, 3).min(0), faces.corners.reshape(-1, 3).max(0)
    rim = one_of(rng, ((165, 165, 168), (190, 190, 190), (90, 90, 92), (45, 45, 46)))
    size = (float(high[0] - low[0]), float(high[1]), float(high[2] - low[2]))
    lamp_m = stretch[1] * (shape.stations[-1][2] - 0.1)
    return Make(shape, faces, size, axles, shape.wheel_m * stretch[1], lamp_m, rim)


def _mixture(rng: np.random.Generator) -> Shape:
    return one_of(
        rng,
        (bodies.SALOON,) * 6 + (bodies.HATCHBACK,) * 6 + (bodies.ESTATE,) * 6
        + (bodies.VAN, bodies.PICKUP, bodies.LORRY_CAB, bodies.LORRY_CAB)
        + (bodies.BUS,) * 2,
    )  # fmt: skip


def _gloss(rng: np.random.Generator, colour: Colour) -> Colour:
    b, g, r = np.clip(np.array(colour) * rng.uniform(0.85, 1.12) + rng.normal(0, 5, 3), 12, 245)
    return float(b), float(g), float(r)


def _with_load(rng: np.random.Generator, cab: Faces) -> tuple[Faces, tuple[float, ...]]:
    """A lorry: the cab ahead of a box or tarpaulin of its own colour."""
    length, height = between(rng, 4.0, 6.8), between(rng, 2.3, 2.9)
    colour = _gloss(rng, one_of(rng, ((230, 230, 230), (200, 205, 210), *CAR_PAINTS)))
    total = length + 2.4
    shift, middle, rear = total / 2 - 1.15, length / 2 - total / 2, -total / 2 - 0.01
    door = panel((0, 0.95 + height / 2), (0.05, height), rear)
    parts = [
        cab.moved((0, 0, shift)),
        Faces.of(box((2.42, height, length), (0, 0.95, middle)), colour),
        Faces.of(box((2.1, 0.4, length), (0, 0.55, middle)), bodies.TRIM),
        Faces.of(door, (60, 60, 60), 1, fine=True),
    ]
    lamps = [panel((x, 0.78), (0.34, 0.16), rear) for x in (-0.9, 0.9)]
    parts.append(Faces.of(np.concatenate(lamps), bodies.TAIL, 1, Lamp.TAIL))
    axles = (shift + 0.23, -total / 2 + 0.28 * length, -total / 2 + 0.28 * length + 1.1)
    return Faces.join(parts), axles


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle at a place; `heading` 0 drives along +z."""

    id: int
    make: Make
    x: float
    z: float
    heading: float
    roll: float = 0.0  # of the wheels, radians
    lit: bool = False  # head and tail lamps on
    braking: bool = False

    @property
    def name(self) -> str:
        return self.make.shape.name

    @property
    def reach_m(self) -> float:
        return self.make.size[2] / 2 + 1

    def placed(self) -> Placed:
        """Its body where it stands."""
        head = float(self.lit)
        tail = 1.0 if self.braking else 0.6 * head
        return Placed(self.make.faces, self.x, self.z, self.heading, head, tail)

    def draw_model(self, canvas: Canvas, place: Place, model: Model) -> None:
        """Draw it, its body made ready; the body hides the upper part of the tyres."""
        wheels = Wheels(self, canvas, place)
        with canvas.object(self.id, self.name, place.smear_px):
            wheels.draw_tyres()
            model.draw(canvas)
            wheels.draw_discs()
            self._glow(canvas, place)

    def _glow(self, canvas: Canvas, place: Place) -> None:
        """The light around lamps that are on, where daylight does not drown it."""
        strength = place.stage.light.artificial
        if strength == 0 or not self.lit:
            return
        sin, cos = np.sin(self.heading), np.cos(self.heading)
        ahead = float(canvas.camera.rotation[2] @ (sin, 0, cos))
        end = self.make.size[2] / 2 * (-1 if ahead > 0 else 1)
        colour = TAIL_GLOW if ahead > 0 else HEAD_GLOW
        strength *= abs(ahead) * (0.35 if ahead > 0 and not self.braking else 0.8)
        sides, up = 0.36 * self.make.size[0] * np.array([-1, 1]), np.full(2, self.make.lamp_m)
        x, z = self.x + sin * end + cos * sides, self.z + cos * end - sin * sides
        points, depth = canvas.camera.project(np.stack([x, up, z], 1))
        if depth.min() < 2:
            return
        reach = 0.55 if ahead > 0 else 1.1
        radius = reach * canvas.camera.px_per_m(float(depth[0])) + 0.004 * canvas.image.shape[1]
        for point in points:
            canvas.glow(point, radius, strength * colour)


CIRCLE, TOP, BOTTOM = 12, 3, 9  # corners of a wheel, and which are up and down
ARCH, TYRE, INNER, RIM = range(4)  # the circles of a wheel


def _circles(make: Make) -> Floats:
    """(wheels, 4, CIRCLE, 3) right, up, forward: the circles of each wheel, left and right."""
    turns = 2 * np.pi * np.arange(CIRCLE) / CIRCLE
    circle = make.wheel_m * np.stack([0 * turns, np.sin(turns), np.cos(turns)], 1)
    wheels = []
    for axle in make.axles:
        for side in (-1, 1):
            hub = np.array([side * (make.size[0] / 2 - 0.03), make.wheel_m, axle])
            arch = hub + 1.16 * circle
            arch[:, 1] = np.maximum(arch[:, 1], 0.75 * make.wheel_m)
            inner = hub + circle - [0.22 * side, 0, 0]
            wheels.append([arch, hub + circle, inner, hub + 0.64 * circle])
    return np.array(wheels)


class Wheels:
    """The wheels of a vehicle in the image."""

    def __init__(self, vehicle: Vehicle, canvas: Canvas, place: Place) -> None:
        self._vehicle, self._canvas, self._shade = vehicle, canvas, place.shade
        sin, cos = np.sin(vehicle.heading), np.cos(vehicle.heading)
        self._turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        self._here = np.array([vehicle.x, 0, vehicle.z])
        to_camera = canvas.camera.position - self._here
        aside, half = float(self._turn[0] @ to_camera), vehicle.make.size[0] / 2
        self._side = 0 if abs(aside) < half else int(np.sign(aside))  # that we see
        circles = vehicle.make.circles
        points, depth = self._project(circles.reshape(-1, 3))
        self._points = points.reshape(*circles.shape[:-1], 2)
        self._ahead = depth.reshape(len(circles), -1).min(1) > NEAR_M + 0.05
        self._px = place.px_per_m * vehicle.make.wheel_m

    def _project(self, local: Floats) -> tuple[Floats, Floats]:
        return self._canvas.camera.project(local @ self._turn + self._here)

    def draw_tyres(self) -> None:
        """Both edges of every tread, and what spans them top and bottom."""
        tyres = self._points[self._ahead]
        if len(tyres) == 0:
            return
        outer, inner = tyres[:, TYRE], tyres[:, INNER]
        ends = [outer[:, TOP], inner[:, TOP], inner[:, BOTTOM], outer[:, BOTTOM]]
        span = np.stack(ends + ends[-1:] * (CIRCLE - 4), axis=1)
        outlines = np.stack([span, inner, outer], axis=1).reshape(-1, CIRCLE, 2)
        colour = bgr(self._shade.round(np.full(3, 26.0), 0.3))
        self._canvas.polygons(outlines, [colour] * len(outlines))

    def draw_discs(self) -> None:
        """Arches, tyre walls and rims of the side that we see."""
        if self._side == 0 or self._px < 3:
            return
        paints = self._shade.round(np.array([[18.0] * 3, [32.0] * 3, self._vehicle.make.rim]), 0.4)
        arch, tyre, rim = (bgr(paint) for paint in paints)
        for k in range(self._side > 0, len(self._points), 2):
            if self._ahead[k]:
                circles = self._points[k]
                self._canvas.details(circles[None, ARCH], [arch])
                self._canvas.polygon(circles[TYRE], tyre)
                self._canvas.details(circles[None, RIM], [rim])
                if self._px > 9:
                    self._holes(k)

    def _holes(self, wheel: int) -> None:
        """The openings between the spokes."""
        make = self._vehicle.make
        hub = make.circles[wheel, TYRE].mean(0)
        spots = 2 * np.pi * np.arange(5) / 5 - self._vehicle.roll
        turns = 2 * np.pi * np.arange(8) / 8
        up = 0.42 * np.sin(spots)[:, None] + 0.14 * np.sin(turns)
        along = 0.42 * np.cos(spots)[:, None] + 0.14 * np.cos(turns)
        local = hub + make.wheel_m * np.stack([0 * up, up, along], axis=-1).reshape(-1, 3)
        points, _ = self._project(local)
        dark = bgr(self._shade.round(np.full(3, 38.0), 0.3))
        self._canvas.details(points.reshape(5, 8, 2), [dark] * 5)
