"""The self-test of a bundle: an image, and the boxes that any machine must find in it."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.detections import Detections
from stopline.runtime.manifest import BundleError

SELFTEST = "selftest.npz"
MAX_UNPACKED = 64 << 20  # bytes; an image of 640 pixels takes one


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`boxes` are what FP32 found in `image` from `min_score` on, where it was exported."""

    image: Image
    boxes: Detections
    min_score: float


def read_selftest(bundle: Bundle) -> SelfTest:
    """What a bundle carries; raises BundleError if it has none, or one that says nothing."""
    path = bundle.path / SELFTEST
    if SELFTEST not in bundle.manifest.files:
        raise BundleError(
            f"{bundle.path} has no {SELFTEST}: export it again with `stopline export`"
        )
    try:
        said = _unpacked(path.read_bytes())
        test = _selftest(said, bundle.manifest.classes)
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path} is no self-test ({error}): export the bundle again") from error
    if not len(test.boxes):
        raise BundleError(f"{path} holds no box, which any broken graph would find: export it anew")
    return test


def _unpacked(content: bytes) -> dict[str, NDArray[np.generic]]:
    size = sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(content)).infolist())
    if size > MAX_UNPACKED:
        raise ValueError(f"it unpacks to {size} bytes, {MAX_UNPACKED} at most")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _selftest(said: dict[str, NDArray[np.generic]], names: tuple[str, ...]) -> SelfTest:
    image, boxes = said["image"], said["boxes"].astype(np.float32)
    scores, classes = said["scores"].astype(np.float32), said["classes"].astype(np.int64)
    count = len(scores)
    shapes = (boxes.shape, scores.shape, classes.shape)
    if shapes != ((count, 4), (count,), (count,)):
        raise ValueError(f"boxes, scores and classes have the shapes {shapes}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"its image is {image.dtype} {image.shape}, wanted uint8 (h, w, 3)")
    if count and not 0 <= classes.min() <= classes.max() < len(names):
        raise ValueError(f"a box has class {classes.max()} of {len(names)}")
    found = Detections(boxes, scores, classes, names)
    return SelfTest(image.astype(np.uint8, copy=False), found, float(said["min_score"]))
