"""The openings of a house front: windows, doors, shops and their names."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.chance import between, happens, one_of
from stopline.runtime.sim.letters import STROKES, write
from stopline.runtime.sim.texture import to_image

PX_PER_M = 30  # of a front's texture
WALLS = (
    (95, 120, 170), (70, 85, 140), (150, 175, 195), (190, 205, 215), (165, 170, 172),
    (120, 150, 185), (205, 210, 210), (110, 115, 120), (140, 165, 150), (175, 160, 140),
    (90, 100, 150), (120, 190, 215),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """What the windows of a house have in common; metres."""

    storeys: int
    storey_m: float
    bays: int
    bay_m: float
    window_wh: tuple[float, float]
    shop: bool
    wall: Colour
    frame: Colour


def rect(
    picture: NDArray[np.float32], at: tuple[int, int, int, int], colour: Colour, tone: float
) -> None:
    """A filled rectangle (x, y, w, h)."""
    x, y, w, h = at
    picture[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = np.array(colour) * tone


def opening(
    rng: np.random.Generator,
    layers: tuple[NDArray[np.float32], NDArray[np.float32]],
    at: tuple[int, int],
    what: tuple[Style, bool],
) -> None:
    """A window, or on the ground floor now and then a door."""
    albedo, glow = layers
    style, ground = what
    w, h = (round(side * PX_PER_M) for side in style.window_wh)
    sill = round(0.9 * PX_PER_M)
    if ground and happens(rng, 0.3):
        w, h, sill = round(1.0 * PX_PER_M), round(2.1 * PX_PER_M), 0
        rect(albedo, (at[0] - w // 2, at[1] - h, w, h), one_of(rng, WALLS), 0.5)
        return
    x, y = at[0] - w // 2, at[1] - sill - h
    rect(albedo, (x - 4, y - 4, w + 8, h + 8), style.frame, 0.95)
    _glass(rng, layers, (x, y, w, h))
    rect(albedo, (x + w // 2 - 1, y, 3, h), style.frame, 0.9)
    if happens(rng, 0.5):
        rect(albedo, (x, y + h // 3, w, 3), style.frame, 0.9)
    rect(albedo, (x - 6, y + h + 4, w + 12, 4), style.frame, 1.0)
    rect(albedo, (x - 4, y + h + 8, w + 8, 3), style.wall, 0.6)
    rect(glow, (x + w // 2 - 1, y, 3, h), (0, 0, 0), 1)


def _glass(
    rng: np.random.Generator,
    layers: tuple[NDArray[np.float32], NDArray[np.float32]],
    at: tuple[int, int, int, int],
) -> None:
    """Dark glass that mirrors the sky towards its top; curtains; perhaps somebody is at home."""
    albedo, glow = layers
    x, y, w, h = at
    rows = np.linspace(1.25, 0.6, h, dtype=np.float32)[:, None, None]
    tint = np.array([between(rng, 70, 125), between(rng, 65, 105), between(rng, 55, 90)])
    y0 = max(0, y)
    pane = albedo[y0 : y + h, x : x + w]
    pane[:] = (tint * rows)[-pane.shape[0] :]
    if happens(rng, 0.45):
        curtain = np.array([between(rng, 150, 210)] * 3)
        drop = max(1, round(w * between(rng, 0.15, 0.4)))
        pane[:, :drop] = 0.55 * curtain
        pane[:, -drop:] = 0.55 * curtain
    if happens(rng, 0.38):
        warm = np.array([between(rng, 90, 150), between(rng, 165, 205), between(rng, 225, 250)])
        glow[y0 : y + h, x : x + w] = warm * between(rng, 0.5, 1.0)


def shop(
    rng: np.random.Generator,
    layers: tuple[NDArray[np.float32], NDArray[np.float32]],
    floor: int,
    style: Style,
) -> None:
    """Display windows, a door, a fascia with a name, perhaps an awning."""
    albedo, glow = layers
    width = albedo.shape[1]
    top = floor - round(style.storey_m * PX_PER_M)
    colour = np.array(one_of(rng, WALLS)) * rng.uniform(0.3, 0.9, 3)
    fascia = (float(colour[0]), float(colour[1]), float(colour[2]))
    rect(albedo, (0, top, width, floor - top), fascia, 0.7)
    head = round(0.75 * PX_PER_M)
    for bay in range(style.bays):
        x, w = round(bay * style.bay_m * PX_PER_M) + 5, round(style.bay_m * PX_PER_M) - 10
        _glass(rng, layers, (x, top + head, w, floor - top - head - 12))
        goods = albedo[floor - 40 : floor - 12, x : x + w]
        things = rng.uniform(40, 170, (3, 9, 1)) * rng.uniform(0.75, 1.25, (3, 9, 3))
        goods[:] = cv2.resize(things.astype(np.float32), goods.shape[1::-1])
        if happens(rng, 0.8):
            glow[top + head : floor - 12, x : x + w] = rng.uniform(0.6, 1) * np.array(
                [165, 205, 235]
            )
    _name(rng, layers, (width, top, head), fascia)


def _name(
    rng: np.random.Generator,
    layers: tuple[NDArray[np.float32], NDArray[np.float32]],
    where: tuple[int, int, int],
    fascia: Colour,
) -> None:
    """The shop's name on its fascia, which shines at night, and its awning."""
    albedo, glow = layers
    width, top, head = where
    rect(albedo, (0, top, width, head), fascia, 1.0)
    text = "".join(one_of(rng, sorted(STROKES)) for _ in range(int(rng.integers(4, 9))))
    ink = (240, 240, 240) if sum(fascia) < 380 else (30, 30, 35)
    board = to_image(albedo[top : top + head])
    sign = np.zeros_like(board)
    middle = np.array([width * between(rng, 0.3, 0.7), head / 2])
    write(board, text, middle, head * 0.5, (ink, 0.17))
    write(sign, text, middle, head * 0.5, ((190, 225, 245), 0.17))
    albedo[top : top + head] = board
    glow[top : top + head] = sign
    if happens(rng, 0.35):
        drop = round(0.5 * PX_PER_M)
        stripes = (np.arange(width) // 14 % 2).astype(np.float32)[None, :, None]
        colour = np.array(one_of(rng, ((40, 40, 180), (60, 120, 50), (150, 80, 40))), np.float32)
        albedo[top + head : top + head + drop] = stripes * colour + (1 - stripes) * 225
        glow[top + head : top + head + drop] = 0
