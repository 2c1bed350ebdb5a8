"""Bodies of flat faces, shaded face by face; all the bodies of a frame at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.canvas import Canvas, Colour, Outlines, outlines_of
from stopline.runtime.sim.projection import NEAR_M, Floats, Pinhole, in_front
from stopline.runtime.sim.shade import Shade

Integers = NDArray[np.integer[Any]]
FINE_PX_PER_M = 18.0  # where a metre is smaller, plates and seams are left out


class Lamp(IntEnum):
    """Whether a face shines by itself, and when."""

    NONE = 0
    HEAD = 1
    TAIL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Flat convex quads (n, 4, 3) in metres, clockwise as seen from outside, with their paint.

    `over` puts a face on top of the body it belongs to: 0 is the body, 1 on it, 2 on that.
    """

    corners: Floats  # (n, 4, 3)
    normals: Floats  # (n, 3) outwards
    paint: Floats  # (n, 3) BGR
    over: Integers  # (n,)
    lamp: Integers  # (n,) of Lamp
    fine: NDArray[np.bool_]  # (n,) whether it may be left out far away

    @classmethod
    def of(
        cls,
        corners: Floats,
        paint: Colour,
        over: int = 0,
        lamp: int = Lamp.NONE,
        fine: bool = False,
    ) -> "Faces":
        """Quads (n, 4, 3) of one colour."""
        across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        normals = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        n = len(corners)
        return cls(
            corners, normals, np.tile(paint, (n, 1)), np.full(n, over), np.full(n, lamp),
            np.full(n, fine),
        )  # fmt: skip

    @classmethod
    def join(cls, parts: Sequence["Faces"]) -> "Faces":
        return cls(
            np.concatenate([part.corners for part in parts]),
            np.concatenate([part.normals for part in parts]),
            np.concatenate([part.paint for part in parts]),
            np.concatenate([part.over for part in parts]),
            np.concatenate([part.lamp for part in parts]),
            np.concatenate([part.fine for part in parts]),
        )

    def moved(self, by: tuple[float, float, float]) -> "Faces":
        return Faces(self.corners + by, self.normals, self.paint, self.over, self.lamp, self.fine)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A body that stands at (x, z), turned to the right, with its lamps on or off."""

    faces: Faces
    x: float
    z: float
    heading: float = 0.0
    head: float = 0.0  # 0..1 how much its head and tail lamps shine
    tail: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A body in the image: its visible faces from back to front."""

    faces: list[Outlines]

    def draw(self, canvas: Canvas) -> None:
        for part in self.faces:
            canvas.draw(part)


def models(bodies: Sequence[Placed], shade: Shade, camera: Pinhole) -> list[Model]:
    """The bodies as they look to the camera, one for one; a row of the shade for each."""
    if not bodies:
        return []
    of = np.repeat(np.arange(len(bodies)), [len(body.faces.paint) for body in bodies])
    faces = Faces.join([body.faces for body in bodies])
    place = np.array([(body.x, body.z, body.heading) for body in bodies])
    corners, normals = _turned(faces, place[of])
    middle = corners.mean(1) - camera.position
    shown = np.einsum("ij,ij->i", normals, middle) < 0
    shown &= ~faces.fine | (camera.focal_px > FINE_PX_PER_M * (middle @ camera.rotation[2]))
    order = np.lexsort((-np.einsum("ij,ij->i", middle, middle), faces.over, of))
    order = order[shown[order]]
    light = shade.of(of[order])
    colours = light.faces(faces.paint[order], normals[order])
    glow = np.array([(0.0, body.head, body.tail) for body in bodies])[of[order], faces.lamp[order]]
    bright = light.through_haze(np.minimum(1.25 * faces.paint[order], 255))
    colours += glow[:, None] * (bright - colours)
    seen = camera.camera_from_world(corners[order].reshape(-1, 3))
    visible = _Visible(seen.reshape(-1, 4, 3), colours, faces.over[order] == 0, of[order])
    return visible.models(len(bodies), camera)


@dataclass(frozen=True, slots=True, eq=False)
class _Visible:
    """Faces turned to the camera, body after body, each body's from back to front."""

    corners: Floats  # (n, 4, 3) camera
    colours: Floats  # (n, 3)
    matter: NDArray[np.bool_]  # (n,)
    of: Integers  # (n,) the body

    def models(self, count: int, camera: Pinhole) -> list[Model]:
        near = self.corners[..., 2].min(1) < NEAR_M
        flat = np.maximum(self.corners, [-np.inf, -np.inf, NEAR_M])
        points = camera.pixels_from_camera(flat.reshape(-1, 3)).reshape(-1, 4, 2)
        counts = np.bincount(self.of, minlength=count)
        ready = outlines_of(points, self.colours, self.matter, counts)
        cut = set(self.of[near].tolist())
        return [
            Model(
                self._cut(np.flatnonzero(self.of == body), camera) if body in cut else [ready[body]]
            )
            for body in range(count)
        ]

    def _cut(self, faces: Integers, camera: Pinhole) -> list[Outlines]:
        """The faces of one body without what is behind the camera."""
        parts: list[Outlines] = []
        faces = faces[self.corners[faces, :, 2].max(1) > NEAR_M]
        if len(faces) == 0:
            return parts
        near = self.corners[faces, :, 2].min(1) < NEAR_M
        runs = np.split(faces, np.flatnonzero(near[1:] | near[:-1]) + 1)
        for run in runs:
            corners = self.corners[run]
            if corners[..., 2].min() < NEAR_M:  # then the run is this one face
                outline = camera.pixels_from_camera(in_front(corners[0]))[None]
            else:
                outline = camera.pixels_from_camera(corners.reshape(-1, 3)).reshape(-1, 4, 2)
            if outline.shape[1] >= 3:
                count = np.array([len(run)])
                parts += outlines_of(outline, self.colours[run], self.matter[run], count)
        return parts


def _turned(faces: Faces, place: Floats) -> tuple[Floats, Floats]:
    """Corners and normals in the world; `place` (n, 3) is x, z and heading of each face's body."""
    sin, cos = np.sin(place[:, 2]), np.cos(place[:, 2])

    def turn(points: Floats, s: Floats, c: Floats) -> Floats:
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        return np.stack([x * c + z * s, y, z * c - x * s], axis=-1)

    corners = turn(faces.corners, sin[:, None], cos[:, None])
    corners[..., 0] += place[:, None, 0]
    corners[..., 2] += place[:, None, 1]
    return corners, turn(faces.normals, sin, cos)


def quad(*corners: tuple[float, float, float]) -> Floats:
    """(1, 4, 3) one quad, clockwise as seen from outside."""
    return np.array([corners], float)


def box(size: tuple[float, float, float], at: tuple[float, float, float]) -> Floats:
    """(6, 4, 3) an upright box of (width, height, length), `at` is the middle of its foot."""
    (w, h, d), (x, y, z) = size, at
    x0, x1, y0, y1, z0, z1 = x - w / 2, x + w / 2, y, y + h, z - d / 2, z + d / 2
    sides = [
        [(x0, y1, z0), (x1, y1, z0), (x1, y0, z0), (x0, y0, z0)],
        [(x1, y1, z1), (x0, y1, z1), (x0, y0, z1), (x1, y0, z1)],
        [(x0, y1, z1), (x0, y1, z0), (x0, y0, z0), (x0, y0, z1)],
        [(x1, y1, z0), (x1, y1, z1), (x1, y0, z1), (x1, y0, z0)],
        [(x0, y1, z1), (x1, y1, z1), (x1, y1, z0), (x0, y1, z0)],
        [(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)],
    ]
    return np.array(sides, float)


def mirrored(corners: Floats) -> Floats:
    """The same faces on the other side of x = 0, still clockwise from outside."""
    flipped: Floats = (corners * [-1, 1, 1])[:, ::-1]
    return flipped
