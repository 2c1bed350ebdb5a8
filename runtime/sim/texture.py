"""Noise and small pictures that surfaces are made of."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image

Field = NDArray[np.floating[Any]]  # (h, w) float32


def clouds(rng: np.random.Generator, hw: tuple[int, int], cell_hw: tuple[float, float]) -> Field:
    """(h, w) smooth noise of mean 0 and deviation about 1; `cell_hw` is its coarsest grain, px."""
    total = np.zeros(hw, np.float32)
    for octave in range(3):
        rows = max(2, round(hw[0] / cell_hw[0] * 2**octave))
        columns = max(2, round(hw[1] / cell_hw[1] * 2**octave))
        grid = rng.standard_normal((rows, columns), np.float32)
        total += cv2.resize(grid, hw[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    return total / 1.1


def grain(rng: np.random.Generator, hw: tuple[int, int]) -> Field:
    """(h, w) white noise of mean 0 and deviation 1."""
    return rng.standard_normal(hw, np.float32)


def to_image(picture: NDArray[np.floating[Any]]) -> Image:
    """(h, w, c) floats 0..255 → uint8, saturated."""
    image: Image = np.clip(picture, 0, 255).astype(np.uint8, order="C")
    return image


def halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, c) → half the size, at least one texel."""
    half = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
    return np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
