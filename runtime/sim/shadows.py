"""The light on the ground: shadows, lamps, headlamps and haze, as one coarse map."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.cycles import Cycle
from stopline.runtime.sim.furniture import Lamppost
from stopline.runtime.sim.ground import row_of
from stopline.runtime.sim.houses import House
from stopline.runtime.sim.light import Light, lamp_at
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.projection import NEAR_M, Floats, Pinhole, in_front
from stopline.runtime.sim.scene import Thing
from stopline.runtime.sim.shade import Stage
from stopline.runtime.sim.trees import Plant
from stopline.runtime.sim.vehicles import Vehicle

MAP_WIDTH = 320  # of the map, whatever the image
FAR_M = 60.0  # shadows farther ahead are too thin to see
UNDER, BESIDE = 0.72, 0.35  # how dark it is under a vehicle and at a foot, where little sky is seen
FOOT_M: dict[type, float] = {Person: 0.22, Lamppost: 0.22, Cycle: 0.6}  # radius of that
RING = 6  # corners at each end of a shadow
_CIRCLE = np.stack([np.cos(np.arange(RING) * np.pi / 3), np.sin(np.arange(RING) * np.pi / 3)], 1)


class GroundLight:
    """Lights the ground of one image size."""

    def __init__(self, light: Light, camera: Pinhole) -> None:
        self._light = light
        self._step = max(1.0, camera.width / MAP_WIDTH)

    def apply(self, image: Image, stage: Stage, things: Sequence[Thing]) -> None:
        """Darken the ground, painted in the brightest light, to the light that it has."""
        camera, light = stage.camera, self._light
        top = row_of(camera, 400.0)
        below = image[top:]
        if len(below) == 0:
            return
        width, height = (
            max(2, round(camera.width / self._step)),
            max(2, round(len(below) / self._step)),
        )
        dark: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        self._shadows(dark, (top, camera), things)
        ahead = _distances(camera, top, height)
        left = light.haze_left(ahead)[:, None, None].astype(np.float32)
        level = self._level(stage, _Places(camera, ahead, width)) * left
        gain = level * (255 - dark[..., None].astype(np.float32))
        size = (camera.width, len(below))
        cv2.multiply(below, cv2.resize(gain.astype(np.uint8), size), dst=below, scale=1 / 255)
        veil = np.repeat((1 - left) * light.haze, 2, axis=1).astype(np.uint8)
        cv2.add(below, cv2.resize(veil, size), dst=below)

    def _level(self, stage: Stage, places: "_Places") -> NDArray[np.float32]:
        """(h, w, 3) or (1, 1, 3) 0..1 of the brightest."""
        light = self._light
        level = light.on_ground[None, None]
        if light.artificial > 0:
            reach = light.headlamps_at(places.ahead, places.aside)[..., None]
            pools = np.zeros_like(places.ahead)
            for x, z in stage.lamps.tolist():
                pools += lamp_at(np.hypot(places.x - x, places.z - z))
            lamps = np.minimum(pools, 1.2)[..., None] * light.lamp
            level = level + reach * light.headlamp + lamps
        return np.asarray(level / light.brightest, np.float32)

    def _shadows(
        self, dark: NDArray[np.uint8], where: tuple[int, Pinhole], things: Sequence[Thing]
    ) -> None:
        """Fill `dark` (h, w) with 0..255 of the light that is kept from the ground."""
        vehicles = [thing for thing in things if isinstance(thing, Vehicle)]
        cast = 255 * self._light.shadow
        if cast > 12:
            shapes = np.concatenate(
                [_cast_by_round(things, self._light), _cast_by_vehicles(vehicles, self._light),
                 _cast_by_houses(things, self._light)]
            )  # fmt: skip
            self._fill(dark, shapes, where, cast)
            cv2.blur(dark, (3, 3), dst=dark)
        foot: NDArray[np.uint8] = np.zeros_like(dark)
        under = _prisms(_footprints(vehicles, 0.1), np.zeros(2), np.zeros(len(vehicles)))
        self._fill(foot, under, where, 255 * UNDER)
        stood = [(t.x, t.z, FOOT_M[type(t)]) for t in things if type(t) in FOOT_M]
        self._fill(foot, _rings(stood), where, 255 * BESIDE)
        np.maximum(dark, cv2.blur(foot, (5, 3)), out=dark)

    def _fill(
        self, dark: NDArray[np.uint8], shapes: Floats, where: tuple[int, Pinhole], value: float
    ) -> None:
        """Fill the hulls of points (n, c, 2) on the ground."""
        top, camera = where
        for points in _in_pixels(shapes, camera):
            scaled = (points - (0, top)) / self._step
            fixed = np.rint(np.clip(scaled, -4000, 4000) * 16 - 8).astype(np.int32)
            cv2.fillConvexPoly(dark, cv2.convexHull(fixed), value, cv2.LINE_AA, 4)


def _distances(camera: Pinhole, top: int, height: int) -> Floats:
    """(h,) how far ahead the ground is in the map's rows, metres."""
    rows = top + (np.arange(height) + 0.5) * (camera.height - top) / height - camera.height / 2
    below = np.maximum(np.arctan(rows / camera.focal_px) - camera.pitch, 1e-3)
    ahead: Floats = float(camera.position[1]) / np.tan(np.minimum(below, 1.5))
    return ahead


class _Places:
    """Where on the ground the cells of the map lie, each (h, w), metres."""

    def __init__(self, camera: Pinhole, ahead: Floats, width: int) -> None:
        height_m = float(camera.position[1])
        columns = ((np.arange(width) + 0.5) / width - 0.5) * camera.width
        # The depth along the optical axis of the ground at that distance.
        depth = ahead * np.cos(camera.pitch) - height_m * np.sin(camera.pitch)
        self.aside = (depth[:, None] * columns / camera.focal_px).astype(np.float32)
        self.ahead = np.broadcast_to(ahead[:, None], self.aside.shape).astype(np.float32)
        sin, cos = np.float32(np.sin(camera.yaw)), np.float32(np.cos(camera.yaw))
        self.x = np.float32(camera.position[0]) + self.ahead * sin + self.aside * cos
        self.z = np.float32(camera.position[2]) + self.ahead * cos - self.aside * sin


def _along(light: Light) -> Floats:
    """(2,) where the shadow of a metre of height falls, x and z."""
    direction = light.sun_direction
    along: Floats = -direction[[0, 2]] / max(float(direction[1]), 0.15)
    return along


def _rings(circles: Sequence[tuple[float, float, float]]) -> Floats:
    """x, z, radius → (n, RING, 2)."""
    rows = np.array(circles, float).reshape(-1, 3)
    rings: Floats = rows[:, None, :2] + rows[:, 2, None, None] * _CIRCLE
    return rings


def _prisms(bases: Floats, along: Floats, heights: Floats) -> Floats:
    """(n, c, 2) bases and (n,) heights → (n, 2·c, 2) what their shadow is the hull of."""
    return np.concatenate([bases, bases + heights[:, None, None] * along], axis=1)


def _cast_by_round(things: Sequence[Thing], light: Light) -> Floats:
    """(n, 2·RING, 2) the shadows of people, poles and crowns."""
    along, circles, heights = _along(light), [], []
    for thing in things:
        if isinstance(thing, Person):
            circles.append((thing.x, thing.z, 0.2))
            heights.append(0.95 * thing.looks.height)
        elif isinstance(thing, Cycle):
            circles.append((thing.x, thing.z, 0.45))
            heights.append(0.5)
        elif isinstance(thing, Lamppost):
            circles.append((thing.x, thing.z, 0.07))
            heights.append(thing.height)
        elif isinstance(thing, Plant):
            wide, tall = thing.size_wh
            x, z = np.array([thing.x, thing.z]) + 0.5 * tall * along
            circles.append((float(x), float(z), 0.36 * wide))
            heights.append(0.25 * tall)
    return _prisms(_rings(circles), along, np.array(heights))


def _cast_by_vehicles(vehicles: Sequence[Vehicle], light: Light) -> Floats:
    heights = np.array([0.85 * vehicle.make.size[1] for vehicle in vehicles])
    return _prisms(_footprints(vehicles, -0.05), _along(light), heights)


def _cast_by_houses(things: Sequence[Thing], light: Light) -> Floats:
    """Of the houses with the sun behind them."""
    along = _along(light)
    houses = [t for t in things if isinstance(t, House) and along[0] * t.side < 0]
    walls = [[(h.x, h.z0)] * 3 + [(h.x, h.z1)] * 3 for h in houses]
    heights = np.array([house.front.height_m for house in houses])
    return _prisms(np.array(walls, float).reshape(-1, RING, 2), along, heights)


def _footprints(vehicles: Sequence[Vehicle], margin: float) -> Floats:
    """(n, RING, 2) the corners of vehicles on the ground, two of them twice."""
    if not vehicles:
        return np.empty((0, RING, 2))
    half = np.array([(v.make.size[0] / 2, v.make.size[2] / 2) for v in vehicles]) + margin
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, 1], [-1, -1]])
    local = half[:, None] * corners
    heading = np.array([vehicle.heading for vehicle in vehicles])[:, None]
    sin, cos = np.sin(heading), np.cos(heading)
    x, z = local[..., 0] * cos + local[..., 1] * sin, local[..., 1] * cos - local[..., 0] * sin
    where = np.array([(vehicle.x, vehicle.z) for vehicle in vehicles])
    placed: Floats = np.stack([x, z], 2) + where[:, None]
    return placed


def _in_pixels(shapes: Floats, camera: Pinhole) -> list[Floats]:
    """Those of the shapes (n, c, 2) on the ground that are near enough, as points in the image."""
    if len(shapes) == 0:
        return []
    flat = shapes.reshape(-1, 2)
    ground = np.stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]], axis=1)
    seen = camera.camera_from_world(ground).reshape(*shapes.shape[:2], 3)
    nearest, farthest = seen[..., 2].min(1), seen[..., 2].max(1)
    whole = seen[(nearest >= NEAR_M) & (nearest < FAR_M)]
    points = list(camera.pixels_from_camera(whole.reshape(-1, 3)).reshape(*whole.shape[:2], 2))
    for shape in seen[(nearest < NEAR_M) & (farthest > NEAR_M)]:
        hull = cv2.convexHull(shape[:, [0, 2]].astype(np.float32), returnPoints=False)[:, 0]
        points.append(camera.pixels_from_camera(in_front(shape[hull])))
    return points
