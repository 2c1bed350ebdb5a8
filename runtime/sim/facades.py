"""The fronts of houses as textures: walls, windows, doors, shops, lit from inside at night."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.chance import between, happens, one_of
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.street import Setting
from stopline.runtime.sim.texture import clouds, grain, halved, to_image
from stopline.runtime.sim.warp import Texture, texture_of
from stopline.runtime.sim.windows import PX_PER_M, WALLS, Style, opening, rect, shop

HAZE_STEPS = 64
HAZY_KEPT = 24  # textures of a front


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """One house front: its texture in the street's light, for either side of the street."""

    textures: dict[int, tuple[Texture, ...]]  # side (-1 left, +1 right) → halvings
    width_m: float
    height_m: float
    wall: Colour  # of its other walls
    roof: Colour
    pitched: bool
    _hazy: dict[tuple[int, int, int], Texture] = field(default_factory=dict)

    def seen_through(self, haze: Floats, clear: float, which: tuple[int, int]) -> Texture:
        """The texture of a side at a halving, through haze, in steps that are too fine to see.

        What has been made is kept: the same few are asked for frame after frame.
        """
        side, level = which
        texture = self.textures[side][min(level, len(self.textures[side]) - 1)]
        step = round(HAZE_STEPS * clear)
        if step == HAZE_STEPS:
            return texture
        key = (side, level, step)
        hazy = self._hazy.get(key)
        if hazy is None:
            if len(self._hazy) >= HAZY_KEPT:
                self._hazy.clear()
            share = step / HAZE_STEPS
            veil = (1 - share) * np.append(haze, 0).astype(np.float32)
            hazy = self._hazy[key] = to_image(share * texture + veil)
        return hazy


def front_of(rng: np.random.Generator, setting: Setting, light: Light) -> Front:
    """A house front for this kind of street."""
    style = _style_of(rng, setting)
    albedo, glow = _elevation(rng, style, light)
    textures = {side: _halvings(_lit(albedo, glow, light, side)) for side in (-1, 1)}
    return Front(
        textures,
        style.bays * style.bay_m,
        style.storeys * style.storey_m + 0.5,
        style.wall,
        one_of(rng, ((60, 70, 120), (55, 55, 60), (75, 95, 140), (70, 70, 75))),
        pitched=setting != "city",
    )


def _style_of(rng: np.random.Generator, setting: Setting) -> Style:
    city = setting == "city"
    bay = between(rng, 2.4, 3.8)
    wall = np.array(one_of(rng, WALLS)) * rng.uniform(0.8, 1.1, 3)
    return Style(
        storeys=int(rng.integers(3, 8)) if city else int(rng.integers(1, 4)),
        storey_m=between(rng, 2.9, 3.6),
        bays=int(rng.integers(3, 7)) if city else int(rng.integers(2, 5)),
        bay_m=bay,
        window_wh=(bay * between(rng, 0.3, 0.68), between(rng, 1.2, 2.1)),
        shop=happens(rng, 0.6 if city else 0.08),
        wall=(float(wall[0]), float(wall[1]), float(wall[2])),
        frame=one_of(rng, ((235, 235, 235), (60, 60, 60), (200, 205, 210), (60, 80, 110))),
    )


def _elevation(
    rng: np.random.Generator, style: Style, light: Light
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(h, w, 3) what the front is painted, and what it shines by itself."""
    hw = (
        round((style.storeys * style.storey_m + 0.5) * PX_PER_M),
        round(style.bays * style.bay_m * PX_PER_M),
    )
    albedo = np.empty((*hw, 3), np.float32)
    albedo[:] = style.wall
    _masonry(rng, albedo)
    glow = np.zeros((*hw, 3), np.float32)
    for storey in range(style.storeys):
        floor = hw[0] - round(storey * style.storey_m * PX_PER_M)
        if storey == 0 and style.shop:
            shop(rng, (albedo, glow), floor, style)
            continue
        for bay in range(style.bays):
            middle = round((bay + 0.5) * style.bay_m * PX_PER_M)
            opening(rng, (albedo, glow), (middle, floor), (style, storey == 0))
        rect(albedo, (0, floor - round(style.storey_m * PX_PER_M), hw[1], 4), style.wall, 0.82)
    rect(albedo, (0, 0, hw[1], round(0.35 * PX_PER_M)), style.wall, 1.12)
    rect(albedo, (0, round(0.35 * PX_PER_M), hw[1], 3), style.wall, 0.6)
    lit = max(0.0, light.artificial - 0.15)
    return albedo, glow * lit


def _masonry(rng: np.random.Generator, albedo: NDArray[np.float32]) -> None:
    """Plaster that is stained, or courses of bricks; darker towards the ground."""
    hw = albedo.shape[:2]
    stains = 0.05 * clouds(rng, hw, (hw[0] / 3, hw[1] / 4)) + 0.02 * grain(rng, hw)
    if happens(rng, 0.45):
        course = max(3, round(0.11 * PX_PER_M))
        joints = (np.arange(hw[0]) % course == 0).astype(np.float32)
        stains -= 0.12 * joints[:, None]
        bricks = rng.normal(0, 0.07, (hw[0] // course + 1, hw[1] // (2 * course) + 1))
        size = (bricks.shape[1] * 2 * course, bricks.shape[0] * course)
        spread = cv2.resize(bricks.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
        stains += spread[: hw[0], : hw[1]]
    foot = np.clip((np.arange(hw[0], dtype=np.float32) - hw[0]) / (1.2 * PX_PER_M) + 1, 0, 1)
    albedo *= (1 + stains - 0.2 * foot[:, None])[..., None]


def _lit(albedo: NDArray[np.float32], glow: NDArray[np.float32], light: Light, side: int) -> Image:
    """The front in the street's light: the sun counts if it shines on this side."""
    facing = max(0.0, float(-side * light.sun_direction[0]))
    daylight = 0.78 * light.ambient + facing * light.sun
    hw = albedo.shape[:2]
    up = (np.arange(hw[0], dtype=np.float32)[::-1] / PX_PER_M)[:, None, None]
    lamps = 0.42 * light.lamp.astype(np.float32) * np.exp(-(((up - 3.0) / 4.5) ** 2))
    return to_image(albedo * (daylight.astype(np.float32) + lamps) + glow)


def _halvings(image: Image) -> tuple[Texture, ...]:
    levels = [texture_of(image)]
    while min(levels[-1].shape[:2]) > 12:
        levels.append(halved(levels[-1]))
    return tuple(levels)
