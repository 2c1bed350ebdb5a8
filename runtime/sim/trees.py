"""Trees, hedges and bushes: pictures of leaves, made once for a street."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.canvas import Canvas
from stopline.runtime.sim.chance import between, happens, one_of
from stopline.runtime.sim.picture import Picture, upright
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.shade import Place
from stopline.runtime.sim.texture import Field, clouds, to_image

TEXELS = 256  # side of a picture


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """A tree or bush that always shows its picture's face."""

    picture: Picture
    x: float
    z: float
    size_wh: tuple[float, float]

    @property
    def reach_m(self) -> float:
        return self.size_wh[0] / 2

    def draw(self, canvas: Canvas, place: Place) -> None:
        if place.depth_m > 1.5:
            corners = upright(self.x, 0, self.z, self.size_wh, -canvas.camera.yaw)
            self.picture.draw(canvas, corners, place.shade)


def leaves_colour(rng: np.random.Generator) -> Floats:
    """(3,) from fresh green to autumn."""
    if happens(rng, 0.15):
        return np.array([between(rng, 25, 50), between(rng, 90, 130), between(rng, 140, 190)])
    return np.array([between(rng, 30, 65), between(rng, 95, 150), between(rng, 65, 125)])


def tree(rng: np.random.Generator, leaves: Floats) -> Picture:
    """A trunk, some boughs and a crown of foliage, lit from above."""
    face, cover = _canvas(TEXELS)
    conifer = happens(rng, 0.2)
    _trunk(rng, face, cover, conifer)
    foliage = _conifer(rng) if conifer else _crown(rng, _clusters(rng, 26), 0.36)
    _lay(face, cover, foliage, leaves * (0.8 if conifer else 1.0))
    return Picture(to_image(face), to_image(255 * cover))


def hedge(rng: np.random.Generator, leaves: Floats) -> Picture:
    """A bush as wide as its picture."""
    face, cover = _canvas(TEXELS)
    x, y = rng.uniform(0.12, 0.88, 14), rng.uniform(0.3, 0.95, 14)
    clusters = np.stack([x, y, rng.uniform(0.12, 0.2, 14)], 1)
    _lay(face, cover, _crown(rng, clusters, 0.55), leaves)
    return Picture(to_image(face), to_image(255 * cover))


def _canvas(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)


def _trunk(
    rng: np.random.Generator, face: NDArray[np.float32], cover: NDArray[np.float32], conifer: bool
) -> None:
    size = face.shape[0]
    bark = np.array([between(rng, 40, 75), between(rng, 55, 90), between(rng, 65, 105)])
    half = size * between(rng, 0.018, 0.03)
    top = size * (0.3 if conifer else 0.45)
    foot, middle = size * 1.0, size * 0.5
    lean = size * between(rng, -0.03, 0.03)
    trunk = [[middle - half, foot], [middle + half, foot],
             [middle + lean + half * 0.6, top], [middle + lean - half * 0.6, top]]  # fmt: skip
    paths = [np.array(trunk)]
    for side in (-1, 1, -1, 1):
        start = np.array([middle + lean * 0.7, size * between(rng, 0.45, 0.62)])
        reach = (side * size * between(rng, 0.1, 0.22), -size * between(rng, 0.1, 0.25))
        (x0, y0), (x1, y1), thin = start, start + reach, half * 0.35
        bough = [(x0 - thin, y0), (x0 + thin, y0), (x1 + 1, y1), (x1 - 1, y1)]
        paths.append(np.array(bough))
    for path in paths[: 1 if conifer else None]:
        fixed = np.rint(path * 16).astype(np.int32)
        cv2.fillConvexPoly(face, fixed, bark.tolist(), cv2.LINE_8, 4)
        cv2.fillConvexPoly(cover, fixed, 1.0, cv2.LINE_8, 4)
    lit = np.linspace(1.2, 0.7, size, dtype=np.float32)
    face *= lit[None, :, None]


@dataclass(frozen=True, slots=True, eq=False)
class Foliage:
    """Leaves over a picture, each (h, w): how much they cover, 0..1, and how bright they are."""

    cover: Field
    bright: Field


def _clusters(rng: np.random.Generator, count: int) -> Floats:
    """(n, 3) x, y and radius of the balls of leaves that make a crown, shares of the picture."""
    wide, tall = between(rng, 0.27, 0.34), between(rng, 0.19, 0.26)
    turn, out = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    x, y = 0.5 + wide * out * np.cos(turn), 0.35 + tall * out * np.sin(turn)
    return np.stack([x, y, rng.uniform(0.09, 0.15, count)], 1)


def _crown(rng: np.random.Generator, clusters: Floats, middle: float) -> Foliage:
    """Balls of leaves, lit from above and the left, ragged at their edges, with gaps."""
    hw = (TEXELS, TEXELS)
    line = (np.arange(TEXELS, dtype=np.float32) + 0.5) / TEXELS
    inside, bright = np.full(hw, -1, np.float32), np.zeros(hw, np.float32)
    for x, y, radius in clusters.astype(np.float32):
        right, down = (line[None] - x) / radius, (line[:, None] - y) / radius
        depth = 1 - right**2 - down**2
        lit = 0.78 - 0.3 * down - 0.12 * right + 0.25 * (middle - y) / middle
        bright = np.where(depth > inside, lit, bright)
        inside = np.maximum(inside, depth)
    ragged = clouds(rng, hw, (12, 12))
    leaf = clouds(rng, hw, (5, 5))
    cover = np.clip((inside + np.clip(0.34 * ragged, -0.5, 0.3) + 0.08) * 5, 0, 1)
    gaps = np.clip((clouds(rng, hw, (16, 16)) - 1.7 - 0.8 * inside) * 6, 0, 1)
    dark = 0.25 * np.clip(1 - inside * 3, 0, 1)  # between the balls
    return Foliage(cover * (1 - gaps), bright * (1 + 0.2 * leaf) - dark * bright)


def _conifer(rng: np.random.Generator) -> Foliage:
    """Tiers of drooping boughs, narrower towards the top."""
    hw = (TEXELS, TEXELS)
    line = (np.arange(TEXELS, dtype=np.float32) + 0.5) / TEXELS
    tiers = between(rng, 7, 12)
    tier = np.mod(line * tiers, 1.0)
    half = (0.02 + between(rng, 0.24, 0.34) * line) * (0.62 + 0.38 * tier) * (line < 0.93)
    inside = (half[:, None] - np.abs(line[None] - 0.5)) / 0.06
    cover = np.clip((inside + np.clip(0.9 * clouds(rng, hw, (9, 9)), -1.2, 1.0) - 0.2) * 3, 0, 1)
    sun = 0.95 - 0.4 * tier[:, None] - 0.5 * (line[None] - 0.5)
    return Foliage(cover * (line < 0.95)[:, None], sun * (1 + 0.25 * clouds(rng, hw, (4, 4))))


def _lay(
    face: NDArray[np.float32], cover: NDArray[np.float32], foliage: Foliage, leaves: Floats
) -> None:
    """Put the leaves over the trunk."""
    tone = np.clip(foliage.bright, 0.15, 1.6)[..., None]
    warm = leaves * (1 + np.array([-0.1, 0.05, 0.15]) * (tone - 0.8))  # lit leaves are yellower
    share = foliage.cover[..., None]
    face += share * ((warm * tone).astype(np.float32) - face)
    np.maximum(cover, foliage.cover, out=cover)


@dataclass(frozen=True, slots=True, eq=False)
class Plants:
    """The kinds of trees of a street, and its hedge."""

    trees: tuple[Picture, ...]
    hedge: Picture


def plants_of(rng: np.random.Generator) -> Plants:
    """What grows in a street."""
    colour = leaves_colour(rng)
    trees = tuple(tree(rng, colour * rng.uniform(0.85, 1.15, 3)) for _ in range(3))
    return Plants(trees, hedge(rng, one_of(rng, (colour, leaves_colour(rng)))))
