"""How much of two boxes is the same place, where one of them is only a prediction."""

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes


def grown_iou(predicted: Boxes, found: Boxes, margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, 4) and (n, 4) xyxy → (m, n); both boxes grow by `margin` (m, 2) on every side."""
    (across, own_x, other_x), (down, own_y, other_y) = (
        _along(predicted[:, axis::2], found[:, axis::2], margin[:, axis : axis + 1])
        for axis in (0, 1)
    )
    shared = across * down
    iou: NDArray[np.float64] = shared / (own_x * own_y + other_x * other_y - shared)
    return iou


def _along(
    predicted: Boxes, found: Boxes, margin: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of intervals (m, 2) and (n, 2): what they share (m, n), their lengths (m, 1) and (m, n)."""
    start, end = predicted[:, :1], predicted[:, 1:]
    common = np.minimum(end, found[:, 1]) - np.maximum(start, found[:, 0])
    shared = np.maximum(common + 2 * margin, 0)
    return shared, end - start + 2 * margin, found[:, 1] - found[:, 0] + 2 * margin
