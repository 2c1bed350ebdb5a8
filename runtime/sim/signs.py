"""Road signs: the stop sign, and those a detector must not take for one."""

from dataclasses import dataclass

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.chance import between, happens, one_of
from stopline.runtime.sim.letters import write
from stopline.runtime.sim.picture import Picture, upright
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.shade import Place
from stopline.runtime.sim.texture import clouds, to_image

TEXELS = 256  # side of a sign's picture
DRAWN = 512  # side it is drawn at, to be halved: the only antialiasing masks get
WORDS = ("STOP",) * 12 + ("PARE", "ALTO")
RETROREFLECTS = 2.2  # a sign throws headlamps back to where they came from


def regular(corners: int, radius: float, turn: float = 0.0) -> Floats:
    """(n, 2) a regular polygon around the middle of a picture, pixels of the drawing."""
    turns = turn + 2 * np.pi * np.arange(corners) / corners
    points: Floats = DRAWN / 2 + radius * np.stack([np.sin(turns), -np.cos(turns)], 1)
    return points


def stop_face(rng: np.random.Generator) -> Picture:
    """A red octagon, white border, STOP in white; every one faded and dirtied its own way."""
    red = (between(rng, 22, 60), between(rng, 18, 50), between(rng, 150, 215))
    white = (between(rng, 215, 240),) * 3
    outer = DRAWN / 2 / np.cos(np.pi / 8) - 1
    face, cover = _blank()
    _fill(face, regular(8, outer, np.pi / 8), white)
    _fill(cover, regular(8, outer, np.pi / 8), (255,) * 3)
    border = between(rng, 0.89, 0.94)
    _fill(face, regular(8, border * outer, np.pi / 8), red)
    height = DRAWN * between(rng, 0.28, 0.34)
    weight = between(rng, 0.15, 0.2)
    write(face, one_of(rng, WORDS), np.full(2, DRAWN / 2), height, (white, weight))
    return _weathered(rng, face, cover)


def other_face(rng: np.random.Generator) -> Picture:
    """A sign that is not a stop sign: no entry, limit, yield, direction, or a grey back."""
    face, cover = _blank()
    draw = one_of(rng, (_no_entry, _limit, _limit, _yield, _blue, _warning, _back_of_stop))
    draw(rng, face, cover)
    return _weathered(rng, face, cover)


def _blank() -> tuple[Image, Image]:
    return np.zeros((DRAWN, DRAWN, 3), np.uint8), np.zeros((DRAWN, DRAWN, 3), np.uint8)


def _fill(image: Image, points: Floats, colour: Colour) -> None:
    cv2.fillConvexPoly(image, np.rint(points * 16).astype(np.int32), colour, cv2.LINE_AA, 4)


def _both(face: Image, cover: Image, points: Floats, colour: Colour) -> None:
    _fill(face, points, colour)
    _fill(cover, points, (255,) * 3)


def _no_entry(rng: np.random.Generator, face: Image, cover: Image) -> None:
    _both(face, cover, regular(40, DRAWN / 2 - 2), (40, 35, 190))
    bar = DRAWN / 2 + DRAWN * np.array([[-0.38, -0.09], [0.38, -0.09], [0.38, 0.09], [-0.38, 0.09]])
    _fill(face, bar, (235,) * 3)


def _limit(rng: np.random.Generator, face: Image, cover: Image) -> None:
    text = one_of(rng, ("30", "50", "40", "70", "25", "35"))
    if happens(rng, 0.5):
        _both(face, cover, regular(40, DRAWN / 2 - 2), (40, 35, 190))
        _fill(face, regular(40, DRAWN * 0.39), (235,) * 3)
        write(face, text, np.full(2, DRAWN / 2), DRAWN * 0.36, ((25, 25, 25), 0.16))
        return
    card = DRAWN / 2 + DRAWN * np.array([[-0.4, -0.5], [0.4, -0.5], [0.4, 0.5], [-0.4, 0.5]])
    _both(face, cover, card, (235,) * 3)
    write(face, text, np.array([DRAWN / 2, DRAWN * 0.62]), DRAWN * 0.42, ((25, 25, 25), 0.16))


def _yield(rng: np.random.Generator, face: Image, cover: Image) -> None:
    _both(face, cover, regular(3, DRAWN * 0.55, np.pi) - [0, DRAWN * 0.1], (40, 35, 195))
    _fill(face, regular(3, DRAWN * 0.33, np.pi) - [0, DRAWN * 0.1], (235,) * 3)


def _blue(rng: np.random.Generator, face: Image, cover: Image) -> None:
    sides = one_of(rng, (4, 40))
    radius = DRAWN * 0.68 if sides == 4 else DRAWN / 2 - 2
    _both(face, cover, regular(sides, radius, np.pi / 4), (165, 85, 30))
    write(
        face, one_of(rng, ("P", "H", "T")), np.full(2, DRAWN / 2), DRAWN * 0.5, ((235,) * 3, 0.17)
    )


def _warning(rng: np.random.Generator, face: Image, cover: Image) -> None:
    _both(face, cover, regular(4, DRAWN / 2 - 2), (20, 20, 20))
    _fill(face, regular(4, DRAWN * 0.46), (40, 190, 240))
    write(
        face,
        one_of(rng, ("T", "Y", "X", "S")),
        np.full(2, DRAWN / 2),
        DRAWN * 0.34,
        ((20,) * 3, 0.16),
    )


def _back_of_stop(rng: np.random.Generator, face: Image, cover: Image) -> None:
    grey = between(rng, 120, 175)
    _both(face, cover, regular(8, DRAWN / 2 / np.cos(np.pi / 8) - 1, np.pi / 8), (grey,) * 3)


def _weathered(rng: np.random.Generator, face: Image, cover: Image) -> Picture:
    """Dirt, fading and a sheen across; halved to its final size."""
    size = (TEXELS, TEXELS)
    small = cv2.resize(face, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = np.asarray(cv2.resize(cover[..., 0], size, interpolation=cv2.INTER_AREA), np.uint8)
    dirt = clouds(rng, size, (70, 60)) * between(rng, 0.01, 0.07)
    slope = np.linspace(-1, 1, TEXELS, dtype=np.float32)
    sheen = between(rng, -0.1, 0.1) * slope[:, None] + between(rng, -0.1, 0.1) * slope[None]
    faded = small + between(rng, 0, 0.15) * (small.mean() - small)
    return Picture(to_image(faded * (1 + dirt + sheen)[..., None]), mask)


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """A sign on a post; `turn` 0 faces traffic that drives along +z, positive to its left."""

    id: int
    name: str | None  # None: scenery
    face: Picture
    x: float
    z: float
    side_m: float
    foot_m: float  # height of its lower edge
    turn: float
    lean: float
    post: Colour

    reach_m = 0.8

    def draw(self, canvas: Canvas, place: Place) -> None:
        if place.depth_m < NEAR_M + 0.5:
            return
        top = self.foot_m + (0.9 if self.name else 0.6) * self.side_m
        post = _post(canvas, (self.x, self.z), top, 0.035)
        canvas.polygon(post, bgr(place.shade.round(np.array(self.post), 0.5)))
        corners = upright(self.x, self.foot_m, self.z - 0.04, (self.side_m, self.side_m), self.turn)
        corners[:2, 0] += self.lean * self.side_m
        if self.name is None:
            self.face.draw(canvas, corners, place.shade)
            return
        with canvas.object(self.id, self.name, place.smear_px):
            self.face.draw(canvas, corners, place.shade)


def _post(canvas: Canvas, foot: tuple[float, float], height: float, radius: float) -> Floats:
    """(4, 2) pixels of an upright post."""
    x, z = foot
    ends, depth = canvas.camera.project(np.array([[x, height, z], [x, 0, z]]))
    half = np.array([max(0.5, radius * canvas.camera.px_per_m(float(depth[0]))), 0])
    return np.array([ends[0] - half, ends[0] + half, ends[1] + half, ends[1] - half])
