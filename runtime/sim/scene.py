"""What is in view: a function of the settings and the time, without memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from stopline.runtime.sim.canvas import Canvas
from stopline.runtime.sim.cycles import Cycle
from stopline.runtime.sim.fixtures import Fixture, Fixtures
from stopline.runtime.sim.furniture import Clutter, Lamppost, TrafficLight
from stopline.runtime.sim.houses import House
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.projection import Floats, Pinhole
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.shade import Place
from stopline.runtime.sim.street import Rig, Street
from stopline.runtime.sim.traffic import Traffic
from stopline.runtime.sim.vehicles import Vehicle
from stopline.runtime.sim.walkers import Walkers

SEEN_M = 100.0  # what is farther ahead is left out
SMALL_SEEN_M = 80.0  # and so are people and two-wheelers
BEHIND_M = 8.0


class Standing(Protocol):
    """What can be drawn by itself."""

    @property
    def x(self) -> float: ...
    @property
    def z(self) -> float: ...
    @property
    def reach_m(self) -> float:
        """How far it reaches around (x, z)."""

    def draw(self, canvas: Canvas, place: Place) -> None: ...


Thing = Standing | Person | Vehicle | Clutter | TrafficLight


class Scene:
    """The things of one street."""

    def __init__(self, settings: RoadSettings, street: Street, rig: Rig, light: Light) -> None:
        self._street = street
        fixtures = Fixtures(settings, street, light)
        self._traffic, self._walkers = Traffic(settings, street, rig), Walkers(settings, street)
        self._block = lru_cache(8)(fixtures.block)

    def at(self, t_s: float, camera: Pinhole) -> list[Thing]:
        """Everything that may be in view, the farthest first."""
        z = float(camera.position[2])
        near, far = z - BEHIND_M, z + SEEN_M
        things: list[Thing] = []
        for index in self._blocks(z):
            things += [thing for thing in self._block(index) if near < thing.z < far]
            start = (index + 1) * self._street.block_m - self._street.junction_m
            if near < start < far:
                things += self._traffic.across(t_s, index, start)
        things += self._traffic.at(t_s, near, far)
        things += self._walkers.at(t_s, near, far)
        shown = [thing for thing in things if thing.z < z + _seen_m(thing)]
        return [_now(thing, t_s) for thing in _in_view(shown, camera)]

    def lamps(self, camera: Pinhole) -> Floats:
        """(n, 2) x and z of the street lamps that light what is in view."""
        posts = [
            thing.light_xyz[::2] for thing in self._near(camera) if isinstance(thing, Lamppost)
        ]
        return np.array(posts, float).reshape(-1, 2)

    def walls(self, camera: Pinhole) -> Floats:
        """(n, 4) x, z0, z1 and height of the fronts that can hide the sun from what is in view."""
        houses = [thing for thing in self._near(camera) if isinstance(thing, House)]
        walls = [(house.x, house.z0, house.z1, house.front.height_m) for house in houses]
        return np.array(walls, float).reshape(-1, 4)

    def _near(self, camera: Pinhole) -> Iterator[Fixture]:
        z = float(camera.position[2])
        for index in self._blocks(z):
            yield from (thing for thing in self._block(index) if z - 20 < thing.z < z + SEEN_M)

    def junctions(self, camera: Pinhole) -> Iterator[tuple[int, float, float]]:
        """Index and extent in z of the junctions in view, the farthest first."""
        z = float(camera.position[2])
        for index in reversed(self._blocks(z)):
            end = (index + 1) * self._street.block_m
            if end > z and end - self._street.junction_m < z + SEEN_M:
                yield index, end - self._street.junction_m, end

    def _blocks(self, z: float) -> range:
        block = self._street.block_m
        return range(int(np.floor((z - 20) / block)), int(np.floor((z + SEEN_M) / block)) + 1)


def _seen_m(thing: Thing) -> float:
    return SMALL_SEEN_M if isinstance(thing, Person | Cycle) else SEEN_M


def _now(thing: Thing, t_s: float) -> Thing:
    """A traffic light shows what it shows at this time."""
    return replace(thing, time_s=t_s) if isinstance(thing, TrafficLight) else thing


def _in_view(things: Sequence[Thing], camera: Pinhole) -> list[Thing]:
    """Those that reach into the camera's view, the farthest first."""
    where = np.array([_where(thing) for thing in things]).reshape(-1, 4)
    seen = camera.camera_from_world(where[:, :3])
    reach, depth = where[:, 3], seen[:, 2]
    half_view = camera.width / 2 / camera.focal_px
    inside = np.abs(seen[:, 0]) < np.maximum(depth, 0) * half_view + reach * (1 + half_view)
    inside &= depth > -reach
    away = np.hypot(seen[:, 0], depth)
    order = np.argsort(-away, kind="stable")
    return [things[k] for k in order[inside[order]].tolist()]


def _where(thing: Thing) -> tuple[float, float, float, float]:
    """A point that counts for the order in which things hide each other, and the reach around it.

    A house counts where its far end is: what stands before it is nearer, what is in the junction
    behind it is farther.
    """
    if isinstance(thing, House):
        return 0.0, 1.0, thing.z1, thing.reach_m
    return thing.x, 1.0, thing.z, thing.reach_m
