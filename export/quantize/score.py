"""How good a variant is as a share of FP32, on images that are not those of the gate.

The search tries many variants and keeps the best, so what it scores them on is used up: the gate
judges the choice on a set of its own.
"""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
from msgspec.structs import replace as with_fields
from onnx import ModelProto

from stopline.devices.coco import CocoSet, LabelledImage, load_image
from stopline.devices.evaluation import MIN_SCORE, EvaluationSettings, evaluate
from stopline.export.quantize.noise import AnswerNoise
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.letterbox import letterbox
from stopline.runtime.manifest import Precision, Variant

EXACT = "exact"
NOISE_IMAGES = 6  # with a few thousand candidates each
# Agreement falls that many times faster than AP: 3.2, 5 and 4 times in three INT8 variants of
# road-nano with an AP of 94.9, 98.0 and 98.3 % of FP32's on 265 images.
STRICTER = 4.0


class Score(Protocol):
    """What the search asks of a variant. `about` says what was measured, on what."""

    @property
    def about(self) -> str: ...

    def __call__(self, model: ModelProto) -> float:
        """The metric of the task as a share of FP32's: 1 is the same."""

    def noise(self, model: ModelProto) -> float:
        """A cheap stand-in: noise in the answer, as a share of its signal. 0 is none."""


class ApShare:
    """COCO AP of a variant, through the runtime and in exact arithmetic, over that of FP32.

    The mean over classes of a hundred images has much chance in it: of road-nano's variants with
    96 images' labels, from 95.5 to 100.4 % with no relation to their noise. See `agreement`.
    """

    def __init__(
        self, bundle: Bundle, images: CocoSet, threads: int | None = None, stricter: float = 1.0
    ) -> None:
        """`bundle` has the FP32 variant, `images` the labels. Raises as `evaluate` does.

        `stricter` is how many times faster than AP it falls with these labels.
        """
        self._stricter = stricter
        self._bundle = bundle
        self._images = images
        self._threads = threads
        model = bundle.variant_path("fp32")
        self.about = f"AP on {len(images.images)} images of {images.name} {_hash_of(images)}"
        self._whole = self._ap(bundle, "fp32")
        if self._whole == 0:
            raise ExportError(
                f"FP32 finds nothing right in the {len(images.images)} images of {images.name}: "
                "a share of nothing tells no variant from another. Give images of what it detects"
            )
        self.noise = AnswerNoise(onnx.load(model), _some_frames(bundle, images), threads or 1)

    def __call__(self, model: ModelProto) -> float:
        """Of FP32's AP, about; above 1 where it happens to find more."""
        manifest = with_fields(
            self._bundle.manifest, variants={"int8": Variant(file="int8.onnx", precision="int8")}
        )
        with tempfile.TemporaryDirectory() as scratch:
            files = {"int8.onnx": model.SerializeToString()}
            variant = write_bundle(Path(scratch) / "variant", manifest, files)
            return 1 - (1 - self._ap(variant, "int8") / self._whole) / self._stricter

    def _ap(self, bundle: Bundle, precision: Precision) -> float:
        settings = DetectorSettings(EXACT, precision, MIN_SCORE, threads=self._threads)
        with Detector(bundle, settings=settings) as detector:
            found = evaluate(detector, self._images, EvaluationSettings(resamples=0))
        return found.AP


def agreement(bundle: Bundle, images: CocoSet, threads: int | None = None) -> ApShare:
    """The share of AP to be expected, told from how well a variant finds what FP32 finds.

    AP with FP32's boxes as the truth needs no labels and has little chance in it, as nothing that
    FP32 misses or invents counts. It falls faster than AP, a box that moves being wrong even where
    it moves towards the object; that is divided out, by what was measured on one detector. So it
    is good for choosing between variants, and the gate measures what was chosen.
    """
    return ApShare(bundle, found_by_fp32(bundle, images, threads), threads, STRICTER)


def found_by_fp32(bundle: Bundle, images: CocoSet, threads: int | None = None) -> CocoSet:
    """The same images, labelled with what FP32 finds from the score at which `run` reports."""
    with Detector(bundle, settings=DetectorSettings(EXACT, threads=threads)) as detector:
        found = list(detector.each(load_image(image) for image in images.images))
    if not any(map(len, found)):
        raise ExportError(
            f"FP32 finds nothing in the {len(found)} images of {images.name}, so there is nothing "
            "to agree on: give images of what it detects"
        )
    relabelled = [
        _labelled_with(one, image) for one, image in zip(found, images.images, strict=True)
    ]
    return CocoSet(f"{images.name} as FP32 sees it", bundle.manifest.classes, tuple(relabelled))


def _labelled_with(found: Detections, image: LabelledImage) -> LabelledImage:
    full = (found.boxes[:, 2] > found.boxes[:, 0]) & (found.boxes[:, 3] > found.boxes[:, 1])
    rows = np.flatnonzero(full)
    return replace(
        image,
        labelled=frozenset(found.names),
        positive_only=frozenset(),
        labelled_as={},
        boxes=found.boxes[rows],
        names=tuple(found.names[index] for index in found.classes[rows].tolist()),
        crowd=np.zeros(len(rows), np.bool_),
    )


def _some_frames(bundle: Bundle, images: CocoSet) -> Frames:
    """Spread over the set, as the graph takes them."""
    shape = bundle.manifest.input
    count = min(NOISE_IMAGES, len(images.images))
    frames = np.empty((count, shape.height, shape.width, 3), np.uint8)
    at = np.linspace(0, len(images.images) - 1, count).round().astype(int).tolist()
    for frame, index in zip(frames, at, strict=True):
        letterbox(load_image(images.images[index]), frame, shape.resize, shape.pad)
    return frames


def _hash_of(images: CocoSet) -> str:
    """Of files and labels: another choice of either is another score."""
    digest = hashlib.sha256()
    for image in images.images:
        digest.update(image.path.read_bytes())
        digest.update(repr((image.boxes.tolist(), image.names, sorted(image.labelled))).encode())
    return digest.hexdigest()[:16]
