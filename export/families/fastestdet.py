"""FastestDet (github.com/dog-qiuqiu/FastestDet): ShuffleNetV2 and one map of cells at stride 16.

One output (n, 5 + classes, h / 16, w / 16): objectness after a sigmoid, x, y, w, h, and class
scores after a softmax. Frames are stretched to the input, and colours lie in 0..1.
"""

import numpy as np

from stopline.export.families.family import Decoded, Family
from stopline.export.raw import HW, Floats, Raw
from stopline.export.tensor import sigmoid
from stopline.runtime.manifest import Thresholds

STRIDE = 16  # input pixels between two cells


def recognises(raw: Raw) -> bool:
    """One map of the right size, whose class scores sum to one."""
    if len(raw.outputs) != 1 or raw.output.ndim != 4 or raw.output.shape[1] < 6:
        return False
    wanted = (raw.input_hw[0] // STRIDE, raw.input_hw[1] // STRIDE)
    sums = raw.output[:, 5:].sum(axis=1)
    return raw.output.shape[2:] == wanted and bool(np.allclose(sums, 1, atol=1e-3))


def normalise(images: Floats) -> Floats:
    """BGR 0..1."""
    return images / 255


def decode(raw: Floats, input_hw: HW) -> Decoded:
    """The centre lies within a cell of its own, the size is a share of the input.

    score = objectness^0.6 x class^0.4 is the author's.
    """
    rows, columns = np.mgrid[: input_hw[0] // STRIDE, : input_hw[1] // STRIDE]
    corner_xy = np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float32)
    input_wh = np.array([input_hw[1], input_hw[0]], np.float32)

    by_cell = raw.transpose(0, 2, 3, 1).reshape(-1, rows.size, raw.shape[1])
    centre = (corner_xy + np.tanh(by_cell[..., 1:3])) * STRIDE
    half = sigmoid(by_cell[..., 3:5]) * (input_wh / 2)
    boxes = np.concatenate([centre - half, centre + half], -1)
    return Decoded(boxes, by_cell[..., 0:1] ** 0.6 * by_cell[..., 5:] ** 0.4)


FASTESTDET = Family(
    name="fastestdet",
    gives="one (n, 5 + classes, h / 16, w / 16) whose class scores sum to one in every cell",
    resize="stretch",
    thresholds=Thresholds(min_score=0.5, max_iou=0.45),
    side=32,
    recognises=recognises,
    normalise=normalise,
    decode=decode,
)
