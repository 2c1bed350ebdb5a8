"""Where two variants part as bundles: what lies around the graphs, then the graphs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import onnx

from stopline.export.bisect.compare import BisectSettings, part
from stopline.export.bisect.parting import Parting
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames, Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.letterbox import letterbox
from stopline.runtime.manifest import Input, Precision


class Side(NamedTuple):
    """One of the two: a bundle, and which of its variants (None: FP32)."""

    bundle: Bundle
    precision: Precision | None = None


def parted_bundles(
    reference: Side, variant: Side, images: Sequence[Image], settings: BisectSettings | None = None
) -> Parting:
    """Lay the images as each manifest says, then compare the graphs on the reference's frames.

    Images are BGR, of any size. Frames of two sizes end the comparison there. Raises
    ExportError if there is no image, or the graphs are not variants of one.
    """
    if not images:
        raise ExportError("no images to compare with: give at least one")
    ours, theirs = reference.bundle.manifest, variant.bundle.manifest
    differ = _how_frames_differ(ours.input, theirs.input, images)
    if (ours.input.height, ours.input.width) != (theirs.input.height, theirs.input.width):
        return Parting(len(images), (), (), input=differ)
    graphs = [onnx.load(side.bundle.variant_path(side.precision)) for side in (reference, variant)]
    parting = part(graphs[0], graphs[1], laid(images, ours.input), settings)
    return replace(parting, input=differ, classes=_how_classes_differ(ours.classes, theirs.classes))


def laid(images: Sequence[Image], shape: Input) -> Frames:
    """Images as the runtime lays them, (n, height, width, 3)."""
    frames = np.empty((len(images), shape.height, shape.width, 3), np.uint8)
    for image, frame in zip(images, frames, strict=True):
        letterbox(image, frame, shape.resize, shape.pad)
    return frames


def _how_frames_differ(ours: Input, theirs: Input, images: Sequence[Image]) -> str | None:
    """None too where the manifests differ and the images do not show it."""
    size = [f"{said.height}x{said.width}" for said in (theirs, ours)]
    if size[0] != size[1]:
        return f"input {size[0]} against {size[1]}"
    if np.array_equal(laid(images, ours), laid(images, theirs)):
        return None
    if ours.resize != theirs.resize:
        return f"resize {theirs.resize} against {ours.resize}"
    return f"padding {theirs.pad} against {ours.pad}"


def _how_classes_differ(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    if len(ours) != len(theirs):
        return f"{len(theirs)} classes against {len(ours)}"
    pairs = enumerate(zip(ours, theirs, strict=True))
    return next((f"class {i} is {b} against {a}" for i, (a, b) in pairs if a != b), None)
