"""YOLOX: "Exceeding YOLO Series in 2021", arXiv 2107.08430, as Megvii's exporter writes it.

One output (n, cells, 5 + classes), the cells of strides 8, 16 and 32 after each other, row by row:
x, y, w, h relative to the cell, then objectness and class scores that are probabilities already.
"""

import numpy as np

from stopline.export.families.family import Decoded, Family
from stopline.export.raw import HW, Floats, Raw
from stopline.runtime.manifest import Thresholds

STRIDES = (8, 16, 32)  # input pixels between two cells


def cells(input_hw: HW) -> tuple[Floats, Floats]:
    """Of every cell: its column and row (cells, 2), and its stride (cells, 1)."""
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: input_hw[0] // stride, : input_hw[1] // stride]
        corners.append(np.stack([columns, rows], -1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)


def recognises(raw: Raw) -> bool:
    """The right number of cells, scores that are probabilities, and nothing decoded yet."""
    if len(raw.outputs) != 1 or raw.output.ndim != 3 or raw.output.shape[2] < 6:
        return False
    scores = raw.output[..., 4:]
    undecoded = "Exp" not in raw.ops  # Megvii's --decode_in_inference puts one on w and h
    right_cells = raw.output.shape[1] == len(cells(raw.input_hw)[0])
    return undecoded and right_cells and bool((scores >= 0).all() and (scores <= 1).all())


def normalise(images: Floats) -> Floats:
    """BGR 0..255 is what YOLOX takes since its version 0.1.1."""
    return images


def decode(raw: Floats, input_hw: HW) -> Decoded:
    """Centre and size in input pixels; score = objectness x class."""
    corner_xy, stride = cells(input_hw)
    centre = (raw[..., 0:2] + corner_xy) * stride
    half = np.exp(raw[..., 2:4]) * (stride / 2)
    boxes = np.concatenate([centre - half, centre + half], -1)
    return Decoded(boxes, raw[..., 4:5] * raw[..., 5:])


YOLOX = Family(
    name="yolox",
    gives=(
        "one undecoded (n, cells of strides 8, 16 and 32, 5 + classes) with scores in 0..1, "
        "as YOLOX's tools/export_onnx.py writes without --decode_in_inference"
    ),
    resize="letterbox_top_left",
    thresholds=Thresholds(min_score=0.3, max_iou=0.65),
    side=32,
    recognises=recognises,
    normalise=normalise,
    decode=decode,
)
