"""People on foot: they stroll along the pavements and cross at the junctions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stopline.runtime.sim.chance import between, dice, happens
from stopline.runtime.sim.looks import Looks, looks_of
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.skeleton import Pose
from stopline.runtime.sim.streams import Stream
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.tracks import Kind, track

WALKERS_KEY = 17
PACE = 0.225  # metres walked in a radian of the gait, as a share of the height
FILES = 4  # on a pavement, side by side


@dataclass(frozen=True, slots=True)
class Stroller:
    """Somebody in a slot of a file, perhaps in company."""

    aside_m: float
    along_m: float
    turned: float  # off the direction of the file, radians
    phase: float
    party: tuple[Looks, ...]


@dataclass(frozen=True, slots=True)
class Crosser:
    """Somebody who crosses the street once, or again and again if the camera stands still."""

    z: float
    from_side: int
    speed_mps: float
    early_s: float  # how long before the camera arrives he sets off
    looks: Looks


class Walkers:
    """All who walk in one street."""

    def __init__(self, settings: RoadSettings, street: Street) -> None:
        self._settings, self._street = settings, street
        rng = dice(settings.seed, WALKERS_KEY)
        share = min(0.95, 0.16 * settings.density)
        self._files = [
            Stream(FILES * (side > 0) + k, self._file_x(side, k), self._pace(rng, k), 8.0, share)
            for side in (-1, 1)
            for k in range(FILES)
        ]
        self._stroller = lru_cache(512)(self._make_stroller)
        self._crossers = lru_cache(16)(self._make_crossers)
        self._walk_m = 2 * street.kerb_m + 1.2

    def _file_x(self, side: int, k: int) -> float:
        return side * (self._street.pavement_from_m + self._street.pavement_m * (0.18 + 0.22 * k))

    def _pace(self, rng: np.random.Generator, k: int) -> float:
        return between(rng, 0.9, 1.6) * (1 if k % 2 else -1)

    def at(self, t_s: float, z0: float, z1: float) -> Iterator[Person]:
        """Everybody on foot between z0 and z1 at a time."""
        for file in self._files:
            for slot, z in file.slots(t_s, z0, z1):
                stroller = self._stroller(file.number, slot, file.share)
                if stroller is not None:
                    yield from _strolling(file, slot, stroller, z)
        block = self._street.block_m
        for index in range(int(np.floor(z0 / block)), int(np.floor(z1 / block)) + 1):
            for k, crosser in enumerate(self._crossers(index)):
                yield self._crossing(t_s, track(Kind.CROSSER, k, index), crosser)

    def _make_stroller(self, file: int, slot: int, share: float) -> Stroller | None:
        rng = dice(self._settings.seed, WALKERS_KEY, 1, file, slot)
        if not happens(rng, share):
            return None
        together = 1 + int(happens(rng, 0.25))
        party = tuple(looks_of(rng, self._settings.rain) for _ in range(together))
        return Stroller(
            between(rng, -0.15, 0.15), between(rng, -3, 3), between(rng, -0.25, 0.25),
            between(rng, 0, 6), party,
        )  # fmt: skip

    def _make_crossers(self, index: int) -> list[Crosser]:
        rng, street = dice(self._settings.seed, WALKERS_KEY, 2, index), self._street
        crossing = (index + 1) * street.block_m - street.junction_m - 3.5
        people = []
        for _ in range(int(rng.poisson(1.6 * self._settings.density))):
            anywhere = happens(rng, 0.25)  # in the block rather than where they should
            z = crossing - between(rng, 0, street.block_m / 2) * anywhere + between(rng, -1, 1)
            speed, side = between(rng, 0.9, 1.7), 1 if happens(rng, 0.5) else -1
            takes = (2 * street.kerb_m + 1.2) / speed
            early = takes + between(rng, 1.2, 13)  # gone at least a second before it arrives
            people.append(Crosser(z, side, speed, early, looks_of(rng, self._settings.rain)))
        return people

    def _crossing(self, t_s: float, number: int, who: Crosser) -> Person:
        walked = float(np.clip((t_s - self._began(t_s, who)) * who.speed_mps, 0, self._walk_m))
        x = who.from_side * (self._street.kerb_m + 0.6 - walked)
        moving = 0 < walked < self._walk_m
        phase, heading = walked / (PACE * who.looks.height), -who.from_side * np.pi / 2
        pose: Pose = "walk" if moving else "stand"
        return Person(number, who.looks, x, who.z, heading, phase, pose)

    def _began(self, t_s: float, who: Crosser) -> float:
        """When somebody sets off."""
        if self._settings.speed_mps > 0.5:
            return who.z / self._settings.speed_mps - who.early_s
        every = self._walk_m / who.speed_mps + 12.0
        return float(np.floor((t_s + who.early_s) / every) * every - who.early_s)


def _strolling(file: Stream, slot: int, stroller: Stroller, z: float) -> Iterator[Person]:
    heading = file.heading + stroller.turned
    z += stroller.along_m
    for k, looks in enumerate(stroller.party):
        number = track(Kind.STROLLER, file.number + 2 * FILES * k, slot)
        x = file.x + stroller.aside_m + 0.55 * k * np.sign(file.x)
        phase = z * np.sign(file.speed_mps) / (PACE * looks.height) + stroller.phase * (k + 1)
        yield Person(number, looks, float(x), z + 0.2 * k, heading, float(phase))
