"""The light on things, from where they stand."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stopline.runtime.sim.light import Light, lamp_at
from stopline.runtime.sim.projection import Floats, Pinhole

EDGE_M = 0.6  # over which the shadow of a house begins


@dataclass(frozen=True, slots=True, eq=False)
class Shade:
    """The light where things stand: one row for each thing, or one thing without the rows."""

    ambient: Floats  # (n, 3) or (3,)
    clear: Floats  # (n, 1) or (1,): share of the contrast left at its distance
    sun: Floats  # (n, 3) or (3,), less in the shadow of a house
    sun_direction: Floats  # (3,)
    haze: Floats  # (3,)

    def of(self, rows: Any) -> "Shade":
        """The light of some of the things, by any index into the rows."""
        return Shade(
            self.ambient[rows], self.clear[rows], self.sun[rows], self.sun_direction, self.haze
        )

    def faces(self, paint: Floats, normals: Floats) -> Floats:
        """(n, 3) BGR paint and (n, 3) unit world normals → (n, 3) BGR as seen."""
        from_sky = 0.72 + 0.28 * normals[:, 1:2]
        from_sun = np.maximum(normals @ self.sun_direction, 0)[:, None]
        return self.through_haze(paint * (self.ambient * from_sky + self.sun * from_sun))

    def round(self, paint: Floats, lambert: Floats | float) -> Floats:
        """(..., 3) paint of rounded things, `lambert` 0..1 of the sun → as seen."""
        return self.through_haze(paint * (0.8 * self.ambient + lambert * self.sun))

    def through_haze(self, colour: Floats) -> Floats:
        """What is left of a lit colour at this distance."""
        hazy: Floats = colour * self.clear + self.haze * (1 - self.clear)
        return np.minimum(np.maximum(hazy, 0), 255)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One moment of a street's light: who looks, and which lamps are near."""

    light: Light
    camera: Pinhole
    speed_mps: float  # of the camera, along the street
    lamps: Floats  # (n, 2) x, z of the lamps' light on the ground
    walls: Floats  # (n, 4) x, z0, z1 and height of the houses' fronts

    def ahead(self, xz: Floats) -> Floats:
        """(n, 2) places → (n, 3) camera coordinates of what is a metre above them."""
        where = np.stack([xz[:, 0], np.ones(len(xz)), xz[:, 1]], axis=1)
        return self.camera.camera_from_world(where)

    def shades(self, xz: Floats, ahead: Floats, reflects: Floats) -> Shade:
        """The light at (n, 2) places, which are `ahead` (n, 3) of the camera.

        `reflects` (n,) is what the things there throw back of the headlamps.
        """
        light = self.light
        ambient = np.repeat(light.ambient[None], len(xz), 0)
        if light.artificial > 0:
            reach = light.headlamps_at(ahead[:, 2], ahead[:, 0])[:, None]
            far = np.linalg.norm(self.lamps[None] - xz[:, None], axis=2)
            lamps = np.minimum(lamp_at(far).sum(1), 1.2)[:, None]
            ambient = (
                ambient + reflects[:, None] * reach * light.headlamp + 0.75 * lamps * light.lamp
            )
        clear = light.haze_left(ahead[:, 2:])
        sun = self._sunlit(xz)[:, None] * light.sun
        return Shade(ambient, clear, sun, light.sun_direction, light.haze)

    def _sunlit(self, xz: Floats) -> Floats:
        """(n,) 0..1 how much of the sun reaches places a metre above the ground: houses hide it."""
        toward, up = self.light.sun_direction[[0, 2]], float(self.light.sun_direction[1])
        if len(self.walls) == 0 or abs(toward[0]) < 1e-3 or self.light.sun.mean() == 0:
            return np.ones(len(xz))
        x, z0, z1, height = self.walls.T
        away = (x - xz[:, :1]) / toward[0]  # (n, m) along the ray towards the sun, horizontally
        rise, z = away * up, xz[:, 1:] + away * toward[1]
        hidden = (away > 0) * np.clip((height - 1 - rise) / EDGE_M, 0, 1)
        hidden *= np.clip((z - z0) / EDGE_M, 0, 1) * np.clip((z1 - z) / EDGE_M, 0, 1)
        lit: Floats = 1 - hidden.max(1)
        return lit


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one thing stands for the camera, and its light."""

    stage: Stage
    shade: Shade
    depth_m: float
    aside_m: float

    @property
    def px_per_m(self) -> float:
        """Of a metre across the line of sight."""
        return self.stage.camera.px_per_m(self.depth_m)

    @property
    def smear_px(self) -> float:
        """How far it moves across the image while the shutter is open, if it stands still."""
        moved_m = self.stage.speed_mps * self.stage.light.exposure_s
        return self.px_per_m * abs(self.aside_m) * moved_m / max(self.depth_m, 1.0)
