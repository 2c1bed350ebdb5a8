"""What people look like and wear."""

from dataclasses import dataclass

import numpy as np

from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.chance import between, dice, happens, one_of

SKIN = ((150, 180, 225), (125, 160, 210), (95, 130, 185), (65, 95, 145), (45, 62, 98))
HAIR = ((25, 25, 30), (30, 45, 70), (45, 75, 120), (90, 140, 180), (150, 150, 155), (30, 50, 110))
CLOTHES = (
    (40, 40, 45), (60, 55, 55), (120, 75, 40), (150, 110, 70), (50, 50, 150), (60, 60, 200),
    (70, 120, 60), (200, 200, 205), (225, 225, 225), (160, 160, 150), (90, 160, 200),
    (60, 180, 220), (140, 90, 140), (190, 150, 120), (110, 120, 130), (60, 90, 130), (30, 30, 80),
    (70, 80, 70), (45, 50, 60), (90, 70, 60), (180, 190, 200),
)  # fmt: skip
TROUSERS = (
    (45, 40, 38), (95, 65, 40), (120, 85, 55), (60, 60, 62), (110, 130, 150), (80, 95, 110),
    (150, 120, 95), (35, 35, 35), (160, 165, 170),
)  # fmt: skip
SHOES = ((30, 30, 32), (50, 60, 80), (220, 220, 220), (40, 40, 120))


@dataclass(frozen=True, slots=True)
class Looks:
    """What a person is and wears; lengths in metres, colours BGR."""

    height: float
    build: float  # width as a multiple of the average
    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    shoes: Colour
    coat: float  # how far a coat or skirt reaches down the thighs, 0..1; 0 is none
    bare_legs: bool
    bare_arms: bool
    long_hair: bool
    hat: Colour | None
    bag: Colour | None
    umbrella: Colour | None
    stride: float  # of the legs' swing, a multiple of the average
    arm: float  # 0..1 how far the right forearm is raised (a phone, a cup)
    leaning: float  # of the trunk, radians forward


def looks_of(rng: np.random.Generator, rain: float) -> Looks:
    """A passer-by."""
    rng = dice(int(rng.integers(2**32)))  # the caller's next draw is the same in rain
    child = happens(rng, 0.1)
    summer = happens(rng, 0.35) and rain == 0
    return Looks(
        height=between(rng, 1.05, 1.45) if child else float(np.clip(rng.normal(1.7, 0.1), 1.45, 2)),
        build=between(rng, 0.9, 1.3),
        skin=one_of(rng, SKIN),
        hair=one_of(rng, HAIR),
        top=_dyed(rng, one_of(rng, CLOTHES)),
        legs=_dyed(rng, one_of(rng, TROUSERS)),
        shoes=one_of(rng, SHOES),
        coat=between(rng, 0.3, 0.9) if happens(rng, 0.3) else 0.0,
        bare_legs=summer and happens(rng, 0.7),
        bare_arms=summer,
        long_hair=happens(rng, 0.4),
        hat=one_of(rng, CLOTHES) if happens(rng, 0.18) else None,
        bag=one_of(rng, CLOTHES) if happens(rng, 0.25) else None,
        umbrella=one_of(rng, CLOTHES) if happens(rng, 0.6 * rain) else None,
        stride=between(rng, 0.8, 1.15),
        arm=between(rng, 0.6, 1) if happens(rng, 0.15) else 0.0,
        leaning=between(rng, 0.0, 0.12),
    )


def _dyed(rng: np.random.Generator, colour: Colour) -> Colour:
    """The colour, a little off, so that no two pieces are alike."""
    b, g, r = np.clip(np.array(colour) * rng.uniform(0.75, 1.2) + rng.normal(0, 8, 3), 8, 240)
    return float(b), float(g), float(r)
