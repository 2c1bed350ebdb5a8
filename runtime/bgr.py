"""An array of any kind of image made into the one kind that travels: (h, w, 3) uint8 BGR."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image


def bgr_from_any(pixels: NDArray[Any]) -> Image:
    """Grey, 16-bit or alpha → (h, w, 3) uint8 BGR; raises ValueError for anything else.

    16 bits keep their upper 8, as OpenCV does it for training and evaluation: stretching by
    content would give the same scene another brightness in every frame. Alpha is dropped for
    the same reason. Floats have no scale that all files agree on, so they are refused.
    """
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3:
        return pixels
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f"image {pixels.dtype} {pixels.shape}: wanted 8 or 16 bits in 1, 3 or 4 channels"
        )
    if channels == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.ascontiguousarray(pixels[..., :3])
