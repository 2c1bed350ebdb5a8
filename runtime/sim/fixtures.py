"""What stands still in a block of the street: houses, plants, lampposts, signs, parked cars."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from stopline.runtime.sim import bodies
from stopline.runtime.sim.chance import between, dice, happens, one_of
from stopline.runtime.sim.cycles import Cycle
from stopline.runtime.sim.facades import front_of
from stopline.runtime.sim.furniture import Clutter, Lamppost, TrafficLight, clutter_of
from stopline.runtime.sim.houses import RIDGE_M, House
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.looks import looks_of
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.signs import Sign, other_face, stop_face
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.tracks import Kind, track
from stopline.runtime.sim.trees import Plant, plants_of
from stopline.runtime.sim.vehicles import CAR_PAINTS, Vehicle, make_of

FIXTURES_KEY = 15
FRONTS, STOP_FACES, OTHER_FACES = 6, 3, 4  # how many of each a street has to choose from

SIDES = (-1, 1)
Fixture = House | Plant | Lamppost | Sign | TrafficLight | Vehicle | Clutter | Person | Cycle


class Fixtures:
    """Makes the blocks of one street, from stocks of pictures made once."""

    def __init__(self, settings: RoadSettings, street: Street, light: Light) -> None:
        self._settings, self._street, self._light = settings, street, light
        rng = dice(settings.seed, FIXTURES_KEY)
        # A street has a few of each kind to choose from, made when they are first needed.
        self._front = cache(lambda k: front_of(self._dice(2, k), street.setting, light))
        self._stop_face = cache(lambda k: stop_face(self._dice(3, k)))
        self._other_face = cache(lambda k: other_face(self._dice(4, k)))
        self._stock = plants_of(self._dice(5, 0))
        self._lamp_m = between(rng, 16, 30)
        self._lamp = Lamppost(
            0, 0, 0, between(rng, 4.5, 9), between(rng, 0.06, 0.11), between(rng, 0.8, 2.2), 1,
            one_of(rng, ((70, 72, 70), (150, 152, 150), (45, 60, 45), (95, 90, 85))),
            lantern=int(happens(rng, 0.25)),
        )  # fmt: skip

    def _dice(self, what: int, k: int) -> np.random.Generator:
        return dice(self._settings.seed, FIXTURES_KEY, what, k)

    def block(self, index: int) -> list[Fixture]:
        """All that stands in a block, whose junction is at its end."""
        rng = dice(self._settings.seed, FIXTURES_KEY, 1, index)
        z0 = index * self._street.block_m
        z1 = z0 + self._street.block_m - self._street.junction_m
        things: list[Fixture] = []
        for side in SIDES:
            things += self._houses(rng, side, z0, z1)
            things += self._plants(rng, side, z0, z1)
            things += self._parked(rng, side, (z0, z1), index)
            things += self._small(rng, side, (z0, z1), index)
        things += self._lampposts(z0, z1, index)
        things += self._signs(rng, index, z0, z1)
        if control_of(self._settings.seed, index) == "signal":
            things += self._signals(rng, index, z1)
        return things

    def _houses(self, rng: np.random.Generator, side: int, z0: float, z1: float) -> Iterator[House]:
        street, z = self._street, z0 + between(rng, 0, 3)
        built = {"city": 0.97, "suburb": 0.85, "park": 0.25}[street.setting]
        gap = {"city": 0.15, "suburb": 1.0, "park": 1.0}[street.setting]
        hides = 0.0  # the height of a neighbour that touches
        while z < z1 - 6:
            front = self._front(int(rng.integers(FRONTS)))
            end, exists = min(z + front.width_m, z1), happens(rng, built)
            if exists:
                back = between(rng, 0, 0.6 if street.setting == "city" else 2.5)
                open_end = hides < front.height_m + (RIDGE_M if front.pitched else 0)
                yield House(front, side, street.front_m + back, z, end, open_end)
            space = between(rng, 2, 7) if happens(rng, gap) else 0.0
            hides = front.height_m if exists and space == 0 else 0.0
            z = end + space

    def _plants(self, rng: np.random.Generator, side: int, z0: float, z1: float) -> Iterator[Plant]:
        street = self._street
        if street.verge_m > 0.6 and happens(rng, 0.8):
            step = between(rng, 7, 15)
            for z in np.arange(z0 + between(rng, 2, 8), z1 - 4, step):
                x = side * (street.kerb_m + 0.25 + street.verge_m / 2)
                yield self._tree(rng, x, float(z) + between(rng, -1, 1), (4, 7.5))
        if street.setback_m > 2 or street.setting == "park":
            count = int(rng.poisson((9 if street.setting == "park" else 4) * (z1 - z0) / 50))
            for _ in range(count):
                reach = street.front_m - street.setback_m
                x = side * between(rng, reach + 1, reach + (22 if street.setting == "park" else 5))
                z = between(rng, z0, z1)
                if happens(rng, 0.5):
                    yield self._tree(rng, x, z, (4, 11))
                else:
                    width = between(rng, 1.5, 4)
                    yield Plant(self._stock.hedge, x, z, (width, between(rng, 0.8, 1.8)))

    def _tree(
        self, rng: np.random.Generator, x: float, z: float, range_m: tuple[float, float]
    ) -> Plant:
        height = between(rng, *range_m)
        width = height * between(rng, 0.85, 1.1)
        return Plant(one_of(rng, self._stock.trees), x, z, (width, height))

    def _parked(
        self, rng: np.random.Generator, side: int, span: tuple[float, float], index: int
    ) -> Iterator[Vehicle]:
        street, slot = self._street, 0
        share = min(0.95, 0.55 * self._settings.density) if street.parking_m > 1 else 0
        z, end = span[0] + 6.0, span[1] - 8.0
        while z < end:
            slot += 1
            if not happens(rng, share):
                z += 5.5
                continue
            make = make_of(rng, one_of(rng, PARKED))
            x = side * (street.kerb_m - street.parking_m / 2 + between(rng, -0.15, 0.1))
            along = 0.0 if side == street.drives_on else np.pi
            heading = along + (np.pi if happens(rng, 0.15) else 0) + between(rng, -0.03, 0.03)
            number = track(Kind.PARKED, index & 1 | (side > 0) << 1, index * 64 + slot)
            yield Vehicle(number, make, x, z + make.size[2] / 2, heading)
            z += make.size[2] + between(rng, 0.7, 2.5)

    def _small(
        self, rng: np.random.Generator, side: int, span: tuple[float, float], index: int
    ) -> Iterator[Fixture]:
        """Clutter, parked bicycles and people who stand about."""
        street = self._street
        near = street.pavement_from_m + 0.25
        for _ in range(int(rng.poisson(2.5))):
            yield clutter_of(rng, side * near, between(rng, *span))
        for k in range(int(rng.poisson(0.7 * self._settings.density))):
            z, number = between(rng, *span), track(Kind.PARKED_CYCLE, side + 1, index * 16 + k)
            paint = one_of(rng, CAR_PAINTS)
            heading = between(rng, -0.4, 0.4) + one_of(rng, (0.0, np.pi / 2, np.pi))
            yield Cycle(number, "bicycle", side * (near + 0.3), z, heading, paint)
        for k in range(int(rng.poisson(1.3 * self._settings.density))):
            x = side * (street.pavement_from_m + street.pavement_m * between(rng, 0.2, 0.95))
            number = track(Kind.STANDING, side + 1, index * 16 + k)
            looks, heading = looks_of(rng, self._settings.rain), between(rng, -np.pi, np.pi)
            yield Person(number, looks, x, between(rng, *span), heading, 0.0, "stand")

    def _lampposts(self, z0: float, z1: float, index: int) -> Iterator[Lamppost]:
        for slot, z in enumerate(np.arange(z0 + 3, z1, self._lamp_m)):
            side = SIDES[(slot + index) % 2]
            yield self.lamppost(side, float(z), track(Kind.LAMPPOST, side + 1, index * 16 + slot))

    def lamppost(self, side: int, z: float, number: int) -> Lamppost:
        """This street's kind of lamppost at the kerb."""
        kind = self._lamp
        x = side * (self._street.kerb_m + 0.45)
        return Lamppost(
            number, x, z, kind.height, kind.radius, kind.arm, -side, kind.paint, kind.lantern
        )

    def _signs(self, rng: np.random.Generator, index: int, z0: float, z1: float) -> Iterator[Sign]:
        """Stop signs where `control_of` says so, and now and then a sign of another kind."""
        side, kerb = self._street.drives_on, self._street.kerb_m
        if control_of(self._settings.seed, index) == "stop":
            yield self._stop(rng, track(Kind.SIGN, 0, index), side, z1 - between(rng, 0.5, 3.0))
            if happens(rng, 0.25):
                yield self._stop(rng, track(Kind.SIGN, 1, index), -side, z1 - between(rng, 0.5, 3))
        elif happens(rng, 0.3):  # the exit of a yard
            yield self._stop(rng, track(Kind.SIGN, 2, index), side, between(rng, z0 + 5, z1 - 5))
        for _ in range(int(rng.poisson(1.6))):
            face = self._other_face(int(rng.integers(OTHER_FACES)))
            x = one_of(rng, SIDES) * (kerb + between(rng, 0.4, 1.0))
            height, size = between(rng, 1.9, 2.5), between(rng, 0.5, 0.8)
            turn, lean = between(rng, -0.3, 0.3), between(rng, -0.04, 0.04)
            z = between(rng, z0, z1)
            yield Sign(0, None, face, x, z, size, height, turn, lean, POSTS[0])

    def _stop(self, rng: np.random.Generator, number: int, side: int, z: float) -> Sign:
        face = self._stop_face(int(rng.integers(STOP_FACES)))
        x = side * (self._street.kerb_m + between(rng, 0.35, 1.6))
        size, height = between(rng, 0.6, 0.92), between(rng, 1.5, 2.4)
        turn, lean = float(rng.normal(0, 0.22)), float(rng.normal(0, 0.03))
        post = one_of(rng, POSTS)
        return Sign(number, "stop sign", face, x, z, size, height, turn, lean, post)

    def _signals(
        self, rng: np.random.Generator, index: int, start: float
    ) -> Iterator[TrafficLight]:
        """The lights of a junction that begins at `start`, those the camera's traffic sees."""
        street, side, kerb = self._street, self._street.drives_on, self._street.kerb_m + 0.5
        dark = one_of(rng, ((28, 30, 28), (30, 30, 30), (40, 165, 200), (50, 70, 50)))
        board, offset = happens(rng, 0.4), between(rng, 0, 24)
        height, far = between(rng, 2.2, 3.2), start + street.junction_m + 1.0
        places = [(side * kerb, start - 1.0, height, side * kerb)]
        if happens(rng, 0.5):
            places.append((-side * kerb, start - 1.0, height, -side * kerb))
        if happens(rng, 0.6):
            places.append((side * kerb, far, height, side * kerb))
        if happens(rng, 0.45):
            over = side * street.lane_m * 0.5
            places.append((over, far, between(rng, 4.6, 5.4), side * kerb))
        for k, (x, z, foot, post) in enumerate(places):
            number = track(Kind.SIGNAL, k, index)
            yield TrafficLight(number, x, z, foot, post, offset, dark, board)


POSTS = ((120, 122, 120), (90, 130, 160), (60, 62, 60), (60, 160, 190))
PARKED = (bodies.SALOON, bodies.HATCHBACK, bodies.ESTATE) * 4 + (bodies.VAN, bodies.PICKUP)


def control_of(seed: int, index: int) -> str:
    """How a junction is controlled: "stop", "signal" or "none"."""
    rng = dice(seed, FIXTURES_KEY, 6, index)
    return one_of(rng, ("stop",) * 9 + ("signal",) * 8 + ("none",) * 3)
