"""YOLOv8, YOLO11 and their kin, as Ultralytics' exporter writes them without `nms`.

One output (n, 4 + classes, cells): x, y, w, h in input pixels, then class scores after a sigmoid,
for the cells of strides 8, 16 and 32. Colours are RGB in 0..1, and frames lie in the middle.

Only the layout of the file is known here. The weights carry a licence of their own, which
`stopline export --licence` asks for.
"""

import numpy as np

from stopline.export.families.family import Decoded, Family
from stopline.export.families.yolox import cells
from stopline.export.raw import HW, Floats, Raw
from stopline.runtime.manifest import Thresholds


def recognises(raw: Raw) -> bool:
    """A column for each cell, class scores that are probabilities, and centres inside the input."""
    if len(raw.outputs) != 1 or raw.output.ndim != 3 or raw.output.shape[1] < 5:
        return False
    if raw.output.shape[2] != len(cells(raw.input_hw)[0]):
        return False
    centre, scores = raw.output[:, :2], raw.output[:, 4:]
    in_pixels = bool(centre.max() > 2 and centre.max() <= 1.1 * max(raw.input_hw))
    return in_pixels and bool((scores >= 0).all() and (scores <= 1).all())


def normalise(images: Floats) -> Floats:
    """BGR 0..255 → RGB 0..1."""
    return np.take(images, np.array([2, 1, 0]), axis=1) / 255


def decode(raw: Floats, input_hw: HW) -> Decoded:
    """Boxes are decoded already: centre and size become corners."""
    by_cell = raw.transpose(0, 2, 1)
    centre, half = by_cell[..., 0:2], by_cell[..., 2:4] / 2
    return Decoded(np.concatenate([centre - half, centre + half], -1), by_cell[..., 4:])


ULTRALYTICS = Family(
    name="ultralytics",
    gives="one (n, 4 + classes, cells of strides 8, 16 and 32) with boxes in pixels, without NMS",
    resize="letterbox_center",
    thresholds=Thresholds(min_score=0.25, max_iou=0.7),
    side=32,
    recognises=recognises,
    normalise=normalise,
    decode=decode,
)
