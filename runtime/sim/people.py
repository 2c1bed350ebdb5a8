"""People: who they are and what parts their bodies are drawn from."""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.looks import Looks
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.skeleton import Pose


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a place; `heading` 0 looks along +z, in radians to the right."""

    id: int
    looks: Looks
    x: float
    z: float
    heading: float
    phase: float = 0.0  # of the gait, radians
    pose: Pose = "walk"
    lift: float = 0.0  # metres above the ground, for a rider

    name = "person"
    reach_m = 1.2


class Part(IntEnum):
    """The parts of a body from back to front.

    The arm and the leg that are farther come first, so "far" and "near" are sides that change
    with the point of view.
    """

    FAR_HAND = 0
    FAR_FOREARM = 1
    FAR_SLEEVE = 2
    FAR_SHOE = 3
    FAR_SHIN = 4
    FAR_THIGH = 5
    NEAR_SHOE = 6
    NEAR_SHIN = 7
    NEAR_THIGH = 8
    BAG_BEHIND = 9
    SKIRT = 10
    TORSO = 11
    THROAT = 12
    LONG_HAIR = 13
    SKULL = 14
    FACE = 15
    HAT = 16
    BAG_BEFORE = 17
    NEAR_HAND = 18
    NEAR_FOREARM = 19
    NEAR_SLEEVE = 20
    STICK = 21
    UMBRELLA = 22


PARTS = len(Part)
# What is left out of a body that is small in the image, and of one that is tiny.
SMALL = [Part.FAR_HAND, Part.NEAR_HAND, Part.FAR_SHOE, Part.NEAR_SHOE, Part.THROAT, Part.STICK]
TINY = [Part.FAR_FOREARM, Part.FAR_SLEEVE, Part.NEAR_FOREARM, Part.NEAR_SLEEVE, Part.FAR_SHIN]
TINY += [Part.NEAR_SHIN, Part.FACE, Part.LONG_HAIR, Part.HAT, Part.BAG_BEHIND, Part.BAG_BEFORE]
FLAT = np.ones(PARTS)
FLAT[[Part.TORSO, Part.SKIRT, Part.UMBRELLA, Part.HAT]] = 0.45, 0.2, 0.12, 0.6


@lru_cache(2048)
def outfit(looks: Looks, riding: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """(PARTS, 3) paint and (PARTS,) which parts this person has."""
    forearm = looks.skin if looks.bare_arms else looks.top
    shin = looks.skin if looks.bare_legs else looks.legs
    skirt = looks.top if looks.coat > 0.5 else looks.legs
    bag, umbrella = looks.bag or looks.top, looks.umbrella or looks.top
    hat = looks.hat or looks.shoes
    arm = [looks.skin, forearm, looks.top]
    leg = [looks.shoes, shin, looks.legs]
    paint = [*arm, *leg, *leg, bag, skirt, looks.top, looks.skin, looks.hair, looks.hair,
             looks.skin, hat, bag, *arm, (60, 60, 60), umbrella]  # fmt: skip
    has = np.ones(PARTS, bool)
    has[[Part.BAG_BEHIND, Part.BAG_BEFORE]] = looks.bag is not None
    has[Part.SKIRT] = looks.coat > 0 and not riding
    has[Part.LONG_HAIR] = looks.long_hair and not riding
    has[Part.HAT] = looks.hat is not None or riding
    has[[Part.STICK, Part.UMBRELLA]] = looks.umbrella is not None and not riding
    return np.array(paint, float), has
