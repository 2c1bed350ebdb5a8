"""The ground: painted once as tiles that repeat along the street, then seen in perspective.

Each band of depths has tiles of its own fineness, so that what is far away does not flicker.
"""

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Canvas
from stopline.runtime.sim.chance import dice
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import Floats, Pinhole
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.surface import (
    JUNCTION_HALF_M,
    JUNCTION_TEXEL_M,
    PERIOD_M,
    Band,
    junction_tile,
    paint_of,
    tile,
)
from stopline.runtime.sim.texture import clouds
from stopline.runtime.sim.warp import warped

GROUND_KEY = 14
BANDS = (
    Band(0.0, 6.5, 9.0, (0.0125, 0.03)),
    Band(6.5, 20.0, 22.0, (0.04, 0.12)),
    Band(20.0, 55.0, 45.0, (0.11, 0.6)),
    Band(55.0, 260.0, 90.0, (0.3, 3.0)),
)


class Ground:
    """The textures of one street's ground, as its brightest light would show them."""

    def __init__(self, settings: RoadSettings, street: Street, light: Light) -> None:
        rng = dice(settings.seed, GROUND_KEY)
        self._street = street
        self.paint = paint_of(rng, street, light)
        blur_m = settings.speed_mps * light.exposure_s
        rough = clouds(rng, (120, 360), (24, 24))  # 0.2 m by 0.5 m, the same in every band
        self._tiles = [
            tile(rng, (street, self.paint), band, (rough, blur_m), light.brightest)
            for band in BANDS
        ]
        self._junction = junction_tile(rng, (street, self.paint), light.brightest)

    def draw(self, image: Image, camera: Pinhole) -> None:
        """Cover everything below the horizon."""
        start = float(np.floor((camera.position[2] - 2) / PERIOD_M) * PERIOD_M)
        for band, texture in zip(BANDS, self._tiles, strict=True):
            top, bottom = row_of(camera, band.to_m), row_of(camera, band.from_m)
            if top < bottom:
                warp = _texture_to_pixels(camera, band.texel_xz, (-band.half_width_m, start), top)
                image[top:bottom] = warped(texture, warp, (camera.width, bottom - top))

    def draw_junction(self, canvas: Canvas, z0: float) -> None:
        """The street that crosses, from z0 on, over the pavements and verges."""
        camera, deep, half = canvas.camera, self._street.junction_m, JUNCTION_HALF_M
        corners = np.array(
            [[-half, 0, z0 + deep], [half, 0, z0 + deep], [half, 0, z0], [-half, 0, z0]]
        )
        outline = camera.polygon(corners)
        if len(outline) < 3:
            return
        rows, columns = canvas.window((0, outline[:, 1].min(), camera.width, outline[:, 1].max()))
        size = (columns.stop, rows.stop - rows.start)
        if min(size) <= 0:
            return
        level = int(np.clip(np.log2(max(1.0, (z0 - camera.position[2]) / 14)), 0, 4))
        texture = self._junction[level]
        texel = JUNCTION_TEXEL_M * 2**level
        warp = _texture_to_pixels(camera, (texel, texel), (-half, z0), rows.start)
        canvas.cover(rows, columns, warped(texture, warp, size), outline)


def _texture_to_pixels(
    camera: Pinhole, texel_xz: tuple[float, float], corner_xz: tuple[float, float], top: int
) -> Floats:
    """(3, 3) texels of the ground → pixels of a strip of the image that begins at row `top`.

    Texel centres lie half a texel in, pixel centres half a pixel.
    """
    (dx, dz), (x, z) = texel_xz, corner_xz
    world = np.array([[dx, 0, x + dx / 2], [0, dz, z + dz / 2], [0, 0, 1.0]])
    shift = np.array([[1, 0, -0.5], [0, 1, -0.5 - top], [0, 0, 1.0]])
    product: Floats = shift @ camera.ground_homography() @ world
    return product


def row_of(camera: Pinhole, distance_m: float) -> int:
    """The first image row whose ground is nearer; without roll a row is one distance."""
    below = np.arctan2(float(camera.position[1]), distance_m) + camera.pitch
    if below > 1.5:  # straight down: below the image whatever its size
        return camera.height
    row = camera.height / 2 + camera.focal_px * np.tan(below)
    return int(np.clip(np.ceil(row), 0, camera.height))
