"""The arrays that travel between the pieces, each named once."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]  # (h, w, 3) BGR, as OpenCV gives it
Frames: TypeAlias = NDArray[np.uint8]  # (n, h, w, 3) BGR, letterboxed
Boxes: TypeAlias = NDArray[np.floating[Any]]  # (n, 4) xyxy, pixels
Scores: TypeAlias = NDArray[np.floating[Any]]  # (n,) 0..1
Tracks: TypeAlias = NDArray[np.integer[Any]]  # (n,) numbers from 1, 0 for what has none (yet)
Classes: TypeAlias = NDArray[np.integer[Any]]  # (n,) index into the manifest's classes
