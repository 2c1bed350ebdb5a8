"""What lens and sensor do to the light: softness, vignetting, colour balance, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.chance import between, dice, happens
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.texture import to_image

SENSOR_KEY = 20
SPARE = 96  # px by which the noise is larger than the image, so that it can be shifted
FULL = 225.0  # the gain map's 1.0


class Sensor:
    """The camera of one street: the same faults in every frame, new noise in each."""

    def __init__(self, settings: RoadSettings, light: Light) -> None:
        rng = dice(settings.seed, SENSOR_KEY)
        self._settings = settings
        hw = (settings.height, settings.width)
        self._softness = between(rng, 0.4, 0.85) if happens(rng, 0.75) else 0.0
        self._contrast = between(rng, 0.94, 1.14)
        self._lift = between(rng, -6, 10) if light.artificial < 0.9 else between(rng, -3, 3)
        self._gain = _gain_map(rng, hw)
        usual = 1.3 if light.artificial == 0 else 2.6 if light.artificial < 0.9 else 4.5
        self._noise = _noise(rng, hw, settings.noise * usual * between(rng, 0.6, 1.5))

    def expose(self, image: Image, t_s: float) -> Image:
        """The image as the camera gives it. Changes `image`, and may return another."""
        if self._softness and min(image.shape[:2]) > 3:
            cv2.GaussianBlur(image, (3, 3), self._softness, dst=image)
        cv2.multiply(image, self._gain, dst=image, scale=1 / FULL)
        y, x = self._shift(t_s)
        noise = self._noise[y : y + image.shape[0], x : x + image.shape[1]]
        offset = self._lift - 128.0 + 128.0 * (1 - self._contrast)
        cv2.addWeighted(image, self._contrast, noise, 1.0, offset, dst=image)
        return self._compressed(image) if self._settings.jpeg else image

    def _shift(self, t_s: float) -> tuple[int, int]:
        """Where in the stock of noise the noise of this moment lies."""
        rng = dice(self._settings.seed, SENSOR_KEY, round(t_s * 1e4))
        y, x = rng.integers(0, SPARE, 2).tolist()
        return int(y), int(x)

    def _compressed(self, image: Image) -> Image:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg]
        _, data = cv2.imencode(".jpg", image, quality)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _gain_map(rng: np.random.Generator, hw: tuple[int, int]) -> Image:
    """(h, w, 3) vignetting and white balance in units of 1 / FULL."""
    strength = between(rng, 0.05, 0.4)
    rows, columns = np.linspace(-1, 1, hw[0])[:, None], np.linspace(-1, 1, hw[1])[None]
    fall = 1 - strength * ((rows**2 * 0.35 + columns**2 * 0.65) ** 1.3)
    balance = 1 + rng.uniform(-0.05, 0.05, 3)
    return to_image(fall[..., None] * balance * FULL)


def _noise(rng: np.random.Generator, hw: tuple[int, int], sigma: float) -> NDArray[np.uint8]:
    """(h + SPARE, w + SPARE, 3) around 128: mostly brightness, some colour, a little smooth."""
    size = (hw[0] + SPARE, hw[1] + SPARE)
    bright = rng.standard_normal((*size, 1), np.float32)
    colour = rng.standard_normal((*size, 3), np.float32)
    mixed = cv2.GaussianBlur(0.85 * bright + 0.55 * colour, (3, 3), 0.55)
    return to_image(128 + sigma * 1.6 * np.asarray(mixed, np.float32) + 0.5)
