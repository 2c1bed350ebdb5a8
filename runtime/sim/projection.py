"""A pinhole camera over a flat street.

World: x to the right, y up, z along the street, metres; the ground is y = 0.
Camera: x right, y down, z into the image. Image: pixels, (0, 0) is the corner of the first pixel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

NEAR_M = 0.4  # nothing closer than this is drawn


@dataclass(frozen=True, slots=True, eq=False)
class Pinhole:
    """Where the camera is and how it maps the world to pixels."""

    width: int
    height: int
    focal_px: float
    position: Floats  # (3,) world
    yaw: float  # radians to the right
    pitch: float  # radians upwards
    rotation: Floats  # (3, 3) world → camera, of that yaw and pitch

    def camera_from_world(self, points: Floats) -> Floats:
        """(n, 3) → (n, 3), the last column is the depth in metres."""
        moved: Floats = (points - self.position) @ self.rotation.T
        return moved

    def pixels_from_camera(self, points: Floats) -> Floats:
        """(n, 3) with positive depth → (n, 2) pixels."""
        centre = np.array([self.width / 2, self.height / 2])
        flat: Floats = points[:, :2] * (self.focal_px / points[:, 2:]) + centre
        return flat

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """(n, 3) world → (n, 2) pixels and (n,) depth; depth is floored at NEAR_M."""
        seen = self.camera_from_world(points)
        seen[:, 2] = np.maximum(seen[:, 2], NEAR_M)
        return self.pixels_from_camera(seen), seen[:, 2]

    def polygon(self, corners: Floats) -> Floats:
        """(n, 3) world corners of a flat convex polygon → (m, 2) pixels of its part in front.

        Empty where all of it is behind the camera.
        """
        seen = self.camera_from_world(corners)
        if seen[:, 2].min() < NEAR_M:
            seen = in_front(seen)
        return self.pixels_from_camera(seen)

    def px_per_m(self, depth_m: float) -> float:
        """How many pixels a metre across the line of sight has at this depth."""
        return self.focal_px / max(depth_m, NEAR_M)

    def horizon_row(self) -> float:
        """The image row of everything infinitely far at eye level; the camera has no roll."""
        return self.height / 2 + self.focal_px * float(np.tan(self.pitch))

    def ground_homography(self) -> Floats:
        """(3, 3): (x, z, 1) on the ground → homogeneous pixels."""
        intrinsics = np.array(
            [
                [self.focal_px, 0, self.width / 2],
                [0, self.focal_px, self.height / 2],
                [0, 0, 1.0],
            ]
        )
        plane = np.stack(
            [self.rotation[:, 0], self.rotation[:, 2], -self.rotation @ self.position], axis=1
        )
        product: Floats = intrinsics @ plane
        return product


def in_front(corners: Floats) -> Floats:
    """(n, 3) camera polygon → (m, 3) its part with depth ≥ NEAR_M (Sutherland-Hodgman)."""
    ring = corners.tolist()  # plain floats: faster than arrays of three
    kept = []
    for here, there in zip(ring, ring[1:] + ring[:1], strict=True):
        inside = here[2] >= NEAR_M
        if inside:
            kept.append(here)
        if inside != (there[2] >= NEAR_M):
            share = (NEAR_M - here[2]) / (there[2] - here[2])
            kept.append([a + share * (b - a) for a, b in zip(here, there, strict=True)])
    return np.array(kept).reshape(-1, 3)


def rotation_of(yaw: float, pitch: float) -> Floats:
    """World → camera for a camera turned `yaw` to the right and `pitch` upwards, radians."""
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    down = np.diag([1.0, -1.0, 1.0])
    product: Floats = down @ tilt @ turn
    return product
