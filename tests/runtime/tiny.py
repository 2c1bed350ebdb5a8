"""A detector small enough for a unit test: it finds red in a 64x96 input, in 8x8 cells."""

from pathlib import Path

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Input, Manifest, Provenance, Thresholds, Variant

HERE = Path(__file__).parent
TINY_HW = (64, 96)


def tiny_manifest(batch: int = 4) -> Manifest:
    """Of the bundle below, before its files are listed."""
    return Manifest(
        schema=1,
        name="tiny-red",
        task="detect",
        classes=("red",),
        input=Input(height=TINY_HW[0], width=TINY_HW[1], batch=batch),
        boxes=50,
        thresholds=Thresholds(min_score=0.3, max_iou=0.65),
        variants={"fp32": Variant(file="fp32.onnx", precision="fp32")},
        files={},
        provenance=Provenance(created="2026-01-01T00:00:00Z", stopline="0", command="a test"),
    )


def tiny_bundle(where: Path, batch: int = 4) -> Bundle:
    """Written for real, hashes and all."""
    files = {"fp32.onnx": (HERE / "tiny.onnx").read_bytes()}
    return write_bundle(where, tiny_manifest(batch), files)


def red_square(frame_hw: tuple[int, int], box: tuple[int, int, int, int]) -> Image:
    """A grey frame with one pure red rectangle at `box`, xyxy."""
    image = np.full((*frame_hw, 3), 128, np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1] = (0, 0, 255)
    return image
