"""What rain does to a finished picture: mirrors on the wet ground, streaks in the air."""

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import GROUND, Canvas
from stopline.runtime.sim.chance import between, dice
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.settings import RoadSettings

WEATHER_KEY = 21
SPARE = 200  # px by which the streaks are larger than the image, so that they can be shifted


class Weather:
    """The rain of one street; without rain it does nothing."""

    def __init__(self, settings: RoadSettings, light: Light) -> None:
        self._settings, self._light = settings, light
        self._streaks = _streaks(settings) if settings.rain > 0 else None

    def wet(self, canvas: Canvas) -> None:
        """The ground mirrors what stands above it: upside down, drawn out, the flatter the more."""
        if not self._light.wet:
            return
        image, horizon = canvas.image, int(canvas.camera.horizon_row())
        deep = min(image.shape[0] - horizon, horizon)
        if horizon < 4 or deep < 4:
            return
        above = image[horizon - deep : horizon]
        small = cv2.resize(above[::-1], (max(1, above.shape[1] // 4), max(1, deep // 4)))
        tall = max(3, deep // 18) | 1
        blurred = cv2.blur(small, (3, tall))
        mirror = cv2.resize(blurred, (image.shape[1], deep))
        below = image[horizon : horizon + deep]
        share = _share(canvas.labels[horizon : horizon + deep], 0.62 * self._light.wet)
        cv2.multiply(mirror, share, dst=mirror, scale=1 / 255)
        cv2.multiply(below, cv2.bitwise_not(share), dst=below, scale=1 / 255)
        cv2.add(below, mirror, dst=below)

    def fall(self, image: Image, t_s: float) -> None:
        """Streaks of rain, elsewhere in every frame."""
        if self._streaks is None:
            return
        rng = dice(self._settings.seed, WEATHER_KEY, round(t_s * 1e4))
        y, x = rng.integers(0, SPARE, 2).tolist()
        window = self._streaks[y : y + image.shape[0], x : x + image.shape[1]]
        cv2.add(image, window, dst=image)


def _share(labels: NDArray[np.uint16], wet: float) -> Image:
    """(h, w, 3) 0..255 how much of what is seen there is mirrored: only the ground mirrors."""
    fade = np.linspace(1.0, 0.0, labels.shape[0], dtype=np.float32) ** 0.6
    row = (255 * wet * fade).astype(np.uint8)[:, None]
    share = np.where(labels == GROUND, row, np.uint8(0))
    return np.asarray(cv2.cvtColor(share, cv2.COLOR_GRAY2BGR), np.uint8)


def _streaks(settings: RoadSettings) -> Image:
    """(h + SPARE, w + SPARE, 3) drops drawn out by the shutter, near ones long and faint."""
    rng = dice(settings.seed, WEATHER_KEY)
    hw = (settings.height + SPARE, settings.width + SPARE)
    layer: Image = np.zeros((*hw, 3), np.uint8)
    scale, slant = settings.height / 720, between(rng, -0.25, 0.25)
    count = int(1500 * settings.rain * hw[0] * hw[1] / (920 * 1480))
    for _ in range(count):
        x, y, size = rng.uniform(0, hw[1]), rng.uniform(0, hw[0]), rng.uniform(0.3, 1) ** 2
        long = (8 + 46 * size) * scale
        ends = np.array([[x, y], [x + slant * long, y + long]])
        fixed = np.rint(ends * 16).astype(np.int32)
        grey = float(rng.uniform(14, 46)) * (1.15 - 0.6 * size)
        wide = 2 if size > 0.6 and scale > 0.6 else 1
        cv2.polylines(layer, [fixed], False, (grey * 1.05, grey, grey * 0.95), wide, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(layer, (3, 3), 0.7), np.uint8)
