"""The sky, and what stands on the horizon."""

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.chance import between, dice
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import Pinhole
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.texture import Field, clouds, to_image

SKY_KEY = 13
MARGIN = 0.08  # of the image size, on every side: how far the camera may sway


class Sky:
    """A backdrop a little larger than the image, infinitely far away."""

    def __init__(
        self, settings: RoadSettings, street: Street, light: Light, camera: Pinhole
    ) -> None:
        self._margin = round(max(camera.width, camera.height) * MARGIN) + 2
        self._yaw, self._horizon = camera.yaw, camera.horizon_row()
        rng = dice(settings.seed, SKY_KEY)
        hw = (camera.height + 2 * self._margin, camera.width + 2 * self._margin)
        horizon = self._horizon + self._margin
        picture = _firmament(rng, hw, horizon, light)
        _sun_glow(picture, camera, horizon, light)
        if settings.time_of_day == "night":
            _stars(rng, picture, horizon, light)
        _far_away(rng, picture, horizon, (street, light, camera.focal_px))
        self._picture = to_image(picture)

    def paint(self, image: Image, camera: Pinhole) -> None:
        """Fill the whole image with the backdrop as this camera sees it."""
        right = self._margin + round(camera.focal_px * float(np.tan(camera.yaw - self._yaw)))
        down = self._margin - round(camera.horizon_row() - self._horizon)
        height, width = image.shape[:2]
        limit_y, limit_x = self._picture.shape[0] - height, self._picture.shape[1] - width
        right, down = min(max(right, 0), limit_x), min(max(down, 0), limit_y)
        image[:] = self._picture[down : down + height, right : right + width]


def _firmament(
    rng: np.random.Generator, hw: tuple[int, int], horizon: float, light: Light
) -> NDArray[np.float32]:
    """From the colour of the horizon to that of the zenith, with clouds."""
    up = np.clip((horizon - np.arange(hw[0], dtype=np.float32)) / (0.9 * hw[1]), 0, 1)
    share = (1 - np.exp(-4.5 * up))[:, None, None]
    sky = light.horizon + (light.zenith - light.horizon) * share
    picture = np.broadcast_to(sky, (*hw, 3)).astype(np.float32)
    if light.clouds > 0.05:
        cover = clouds(rng, hw, (0.16 * hw[1], 0.5 * hw[1]))
        edge = 1.2 - 1.9 * light.clouds
        veil = np.clip((cover - edge) * 0.8, 0, 1) * np.minimum(1, 6 * up[:, None])
        shading = clouds(rng, hw, (0.05 * hw[1], 0.2 * hw[1]))
        white = light.horizon.mean() * (0.97 + 0.05 * shading[..., None])
        tint = 0.75 * white + 0.25 * light.horizon
        picture += (0.85 * veil)[..., None] * (tint - picture)
    return picture


def _sun_glow(picture: NDArray[np.float32], camera: Pinhole, horizon: float, light: Light) -> None:
    """Brighter towards the sun where it is ahead; at dusk the glow lies on the horizon."""
    seen = camera.rotation @ light.sun_direction
    if light.sun.mean() == 0 or seen[2] < 0.2:
        return
    height, width = picture.shape[:2]
    x = width / 2 + camera.focal_px * seen[0] / seen[2]
    y = height / 2 + camera.focal_px * seen[1] / seen[2]
    columns = (np.arange(width, dtype=np.float32) - x) / (0.35 * width)
    rows = (np.arange(height, dtype=np.float32) - y) / (0.35 * width)
    far = columns[None] ** 2 + rows[:, None] ** 2
    glow = 0.5 * np.exp(-2 * far) + 0.9 * np.exp(-90 * far)
    picture += glow[..., None] * light.sun.astype(np.float32) * 130


def _stars(
    rng: np.random.Generator, picture: NDArray[np.float32], horizon: float, light: Light
) -> None:
    count = int(120 * (1 - light.clouds) * (1 - light.wet))
    rows = rng.integers(0, max(1, int(horizon)), count)
    columns = rng.integers(0, picture.shape[1], count)
    picture[rows, columns] += rng.uniform(15, 90, (count, 1)).astype(np.float32)


def _far_away(
    rng: np.random.Generator,
    picture: NDArray[np.float32],
    horizon: float,
    scene: tuple[Street, Light, float],
) -> None:
    """Hills, then a line of trees or roofs, each paler the farther away; haze below."""
    street, light, focal_px = scene
    width = picture.shape[1]
    lit = light.ambient + 0.5 * light.sun
    hills = _ridge(rng, width, 0.35 * width) * between(rng, 0.0, 0.05) * focal_px
    _silhouette(picture, horizon - hills, 0.75 * light.haze + 0.25 * 120 * lit)
    line: Field
    if street.setting == "city":
        steps = np.repeat(rng.uniform(0.2, 1, 90), -(-width // 90))[:width]
        line = steps * between(rng, 0.04, 0.11) * focal_px
    else:
        line = (_ridge(rng, width, 0.02 * width) + 0.2) * between(rng, 0.02, 0.05) * focal_px
    paint = np.array([70.0, 95, 80]) if street.setting != "city" else np.array([120.0, 115, 112])
    _silhouette(picture, horizon - line, 0.55 * light.haze + 0.45 * paint * lit)
    picture[max(0, int(horizon)) :] = 0.8 * light.haze + 0.2 * 100 * lit


def _ridge(rng: np.random.Generator, width: int, cell: float) -> Field:
    """(w,) 0..1 a line of hills or treetops."""
    noise = clouds(rng, (2, width), (2, max(2.0, cell)))[0]
    low, high = float(noise.min()), float(noise.max())
    ridge: Field = (noise - low) / max(high - low, 1e-6)
    return ridge


def _silhouette(picture: NDArray[np.float32], top: Field, colour: Field) -> None:
    """Everything below the line `top` (w,) becomes `colour`, with a soft edge."""
    rows = np.arange(picture.shape[0], dtype=np.float32)[:, None]
    cover = np.clip(rows - top.astype(np.float32)[None] + 0.5, 0, 1)[..., None]
    mixed = picture + cover * (colour.astype(np.float32) - picture)
    picture[:] = cv2.GaussianBlur(mixed, (3, 3), 0.8)
