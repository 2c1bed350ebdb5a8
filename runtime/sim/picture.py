"""Flat pictures in the world: sign faces, trees, house fronts."""

from functools import lru_cache
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Canvas
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.shade import Shade
from stopline.runtime.sim.texture import halved

GAIN_STEPS = 48  # of a light in which a picture is kept


class Picture:
    """BGRA with colour premultiplied by alpha, and its halvings down to a few texels."""

    def __init__(self, colours: Image, alpha: NDArray[np.uint8]) -> None:
        """From colours (h, w, 3) and cover (h, w)."""
        cover = cv2.merge([alpha, alpha, alpha])
        self._levels = [np.dstack([cv2.multiply(colours, cover, scale=1 / 255), alpha])]
        while min(self._levels[-1].shape[:2]) > 8:
            self._levels.append(halved(self._levels[-1]))
        # The same few are asked for frame after frame; lighting one takes longer than drawing it.
        self._lit = lru_cache(48)(self._make_lit)

    def draw(self, canvas: Canvas, corners: Floats, shade: Shade) -> None:
        """Blend it in; `corners` (4, 3) world: top left, top right, bottom right, bottom left.

        Nothing is drawn of a picture that is partly behind the camera.
        """
        seen = canvas.camera.camera_from_world(corners)
        if seen[:, 2].min() < NEAR_M:
            return
        points = canvas.camera.pixels_from_camera(seen)
        box = (*points.min(0).tolist(), *points.max(0).tolist())
        rows, columns = canvas.window(box)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        span = max(box[2] - box[0], box[3] - box[1], 1.0)
        texels = self._texels(span, shade)
        layer = _warped(texels, points, rows, columns)
        alpha = np.asarray(cv2.extractChannel(layer, 3), np.uint8)
        if canvas.claim(rows, columns, alpha, box):
            window = canvas.image[rows, columns]
            left = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
            cv2.multiply(window, left, dst=window, scale=1 / 255)
            cv2.add(window, cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR), dst=window)

    def _texels(self, span_px: float, shade: Shade) -> NDArray[np.uint8]:
        """(h, w, 4) about as many as there are pixels, in a light rounded to what can be seen."""
        side = max(self._levels[0].shape[:2])
        level = min(int(np.log2(max(1.0, side / span_px)) + 0.3), len(self._levels) - 1)
        clear = float(shade.clear[0])
        gain = (clear * (0.85 * shade.ambient + 0.6 * shade.sun)).tolist()
        haze = ((1 - clear) * shade.haze).tolist()
        steps = [round(GAIN_STEPS * value) for value in gain] + [round(value / 4) for value in haze]
        return self._lit(level, *steps)

    def _make_lit(self, level: int, *steps: int) -> NDArray[np.uint8]:
        mix = np.zeros((4, 4), np.float32)  # BGRA → lit BGRA
        mix[[0, 1, 2], [0, 1, 2]] = np.array(steps[:3]) / GAIN_STEPS
        mix[:3, 3] = np.array(steps[3:]) * 4 / 255
        mix[3, 3] = 1
        return np.asarray(cv2.transform(self._levels[level], mix), np.uint8)


def _warped(
    texels: NDArray[np.uint8], points: Floats, rows: slice, columns: slice
) -> NDArray[np.uint8]:
    """(h, w, 4) a picture as it falls into a window."""
    h, w = texels.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - np.float32(0.5)
    target = (points - (0.5 + columns.start, 0.5 + rows.start)).astype(np.float32)
    warp = cv2.getPerspectiveTransform(source, target)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    return np.asarray(cv2.warpPerspective(texels, warp, size, flags=cv2.INTER_LINEAR), np.uint8)


def upright(x: float, y0: float, z: float, size_wh: tuple[float, float], turn: float) -> Floats:
    """(4, 3) corners of an upright rectangle that stands at (x, y0, z) and faces -z, turned."""
    half, y1 = size_wh[0] / 2, y0 + size_wh[1]
    dx, dz = half * cos(turn), half * sin(turn)
    return np.array(
        [(x - dx, y1, z - dz), (x + dx, y1, z + dz), (x + dx, y0, z + dz), (x - dx, y0, z - dz)]
    )
