"""Whatever drives: lanes of vehicles, cyclists, and cars that cross at junctions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.chance import between, dice, happens, one_of
from stopline.runtime.sim.cycles import SADDLE_M, Cycle, TwoWheels
from stopline.runtime.sim.looks import Looks, looks_of
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.streams import Stream
from stopline.runtime.sim.street import Rig, Street
from stopline.runtime.sim.tracks import Kind, track
from stopline.runtime.sim.vehicles import CAR_PAINTS, CROSSING, Make, Vehicle, make_of

TRAFFIC_KEY = 16
OWN_LANE = 8  # the number of the camera's lane among the streams
CYCLE_LANES = 16  # and of the first of the two streams of bicycles
WHEEL_M = 0.33


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """Who is in a slot: a vehicle, or where there is no make somebody on two wheels."""

    aside_m: float
    along_m: float
    make: Make | None
    paint: Colour
    looks: Looks
    brakes: bool


class Traffic:
    """All that drives in one street."""

    def __init__(self, settings: RoadSettings, street: Street, rig: Rig) -> None:
        self._settings, self._street, self._rig = settings, street, rig
        rng = dice(settings.seed, TRAFFIC_KEY)
        always = happens(rng, 0.25)
        self._lit = always or settings.time_of_day != "day" or settings.rain > 0
        self._gap_m = between(rng, 8, 34)
        self._leads = happens(rng, min(0.9, 0.65 * settings.density))
        self._lanes = list(self._streams(rng))
        edge = street.kerb_m - max(0.55, street.parking_m + 0.4)
        share = min(0.9, 0.24 * settings.density)
        self._cycle_lanes = [
            Stream(CYCLE_LANES + k, side * edge, way * between(rng, 3.5, 6), 21.0, share)
            for k, (side, way) in enumerate(((1, street.drives_on), (-1, -street.drives_on)))
        ]
        # A slot holds the same driver frame after frame, and making a vehicle takes a while.
        self._driver = lru_cache(256)(self._make_driver)
        self._crossing = lru_cache(16)(self._make_crossing)

    def _streams(self, rng: np.random.Generator) -> Iterator[Stream]:
        """Every lane but the camera's own."""
        street, own = self._street, self._settings.speed_mps
        share = min(0.92, 0.42 * self._settings.density)
        for direction in (-1, 1):
            for lane in range(street.lanes):
                speed = direction * between(rng, 6, 14)
                if direction == 1:
                    speed = max(1.5, own * between(rng, 0.75, 1.3))
                if direction == -1 or lane != self._rig.lane:
                    number = lane * 2 + (direction > 0)
                    yield Stream(number, street.lane_x(lane, direction), speed, 23.0, share)

    def _make_driver(self, stream: int, slot: int, share: float) -> Driver | None:
        rng = dice(self._settings.seed, TRAFFIC_KEY, 1, stream, slot)
        if not happens(rng, share):
            return None
        on_two_wheels = stream >= CYCLE_LANES or (stream != OWN_LANE and happens(rng, 0.1))
        return Driver(
            aside_m=between(rng, -0.25, 0.25),
            along_m=between(rng, -4, 4),
            make=None if on_two_wheels else make_of(rng),
            paint=one_of(rng, CAR_PAINTS),
            looks=looks_of(rng, 0.0),
            brakes=happens(rng, 0.2),
        )

    def at(self, t_s: float, z0: float, z1: float) -> Iterator[Vehicle | Cycle | Person]:
        """All that drives along the street between z0 and z1 at a time."""
        for lane in (*self._lanes, *self._cycle_lanes):
            for slot, z in lane.slots(t_s, z0, z1):
                driver = self._driver(lane.number, slot, lane.share)
                if driver is not None:
                    yield from self._in_lane(lane, slot, driver, z + driver.along_m)
        if self._leads:
            yield from self._ahead(t_s, z1)

    def _in_lane(
        self, lane: Stream, slot: int, driver: Driver, z: float
    ) -> Iterator[Vehicle | Cycle | Person]:
        x, key = lane.x + driver.aside_m, (lane.number, slot)
        if driver.make is None:
            yield from self._two_wheels(lane, driver, key, (x, z))
            return
        roll = z / WHEEL_M * np.sign(lane.speed_mps)
        yield Vehicle(
            track(Kind.TRAFFIC, *key), driver.make, x, z, lane.heading, roll, self._lit,
            driver.brakes,
        )  # fmt: skip

    def _two_wheels(
        self, lane: Stream, driver: Driver, key: tuple[int, int], at: tuple[float, float]
    ) -> Iterator[Cycle | Person]:
        x, z = at
        pedals = lane.number >= CYCLE_LANES
        name: TwoWheels = "bicycle" if pedals else "motorcycle"
        lift = SADDLE_M if pedals else 0.0
        turned = 0.9 * z * np.sign(lane.speed_mps) if pedals else 1.6
        cycle = track(Kind.CYCLE, *key)
        yield Cycle(cycle, name, x, z, lane.heading, driver.paint, z / 0.34, self._lit)
        # A hair nearer to the camera, so that the rider is drawn after what he sits on.
        rider = track(Kind.RIDER, *key)
        yield Person(
            rider, driver.looks, x, z - 0.02, lane.heading, float(turned), "ride", lift
        )  # fmt: skip

    def _ahead(self, t_s: float, z1: float) -> Iterator[Vehicle]:
        """The vehicles in the camera's own lane keep their distance."""
        z = self._settings.speed_mps * t_s + self._gap_m + 1.5 * np.sin(0.23 * t_s)
        x = self._street.lane_x(self._rig.lane, 1)
        braking = bool(np.sin(0.23 * t_s + 1.2) < -0.4)
        for slot in range(6):
            driver = self._driver(OWN_LANE, slot, 1.0)
            if driver is None or driver.make is None or z > z1:
                return
            middle = z + driver.make.size[2] / 2
            number, side = track(Kind.TRAFFIC, OWN_LANE, slot), x + driver.aside_m
            yield Vehicle(number, driver.make, side, middle, 0.0, z / WHEEL_M, self._lit, braking)
            z = middle + driver.make.size[2] / 2 + 8 + 2.5 * (driver.along_m + 4)

    def across(self, t_s: float, index: int, start: float) -> Iterator[Vehicle]:
        """What crosses at a junction that begins at `start`, before the camera is there."""
        if self._settings.speed_mps < 0.5:
            return
        for k, (make, early_s) in enumerate(self._crossing(index)):
            way = 1 if k % 2 else -1
            x = way * 8.0 * (t_s - start / self._settings.speed_mps + early_s)
            lane = self._street.junction_m / 4 * (1 if way * self._street.drives_on > 0 else 3)
            if abs(x) < 45:
                number, heading = track(Kind.CROSS_TRAFFIC, k, index), way * np.pi / 2
                yield Vehicle(number, make, x, start + lane, heading, x / WHEEL_M, self._lit)

    def _make_crossing(self, index: int) -> list[tuple[Make, float]]:
        """The vehicles that cross at a junction, and how long before the camera."""
        rng = dice(self._settings.seed, TRAFFIC_KEY, 5, index)
        count = int(rng.integers(0, 3)) if self._settings.density > 0 else 0
        return [(make_of(rng, one_of(rng, CROSSING)), between(rng, 2.5, 9)) for _ in range(count)]
