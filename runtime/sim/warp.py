"""Opaque textures in perspective."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.sim.projection import Floats

# (h, w, 4): a fourth channel that nobody looks at makes OpenCV's bilinear warp twice as fast.
Texture: TypeAlias = NDArray[np.uint8]


def texture_of(image: Image) -> Texture:
    """An image as a texture."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)


def warped(texture: Texture, texels_to_pixels: Floats, size_wh: tuple[int, int]) -> Image:
    """A texture as it falls into a window; beyond its edges it goes on as they are."""
    layer = cv2.warpPerspective(
        texture, texels_to_pixels, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR), np.uint8)
