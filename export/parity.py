"""Whether a bundle finds what the detector it was made from finds: the same boxes and scores."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from stopline.devices.agreement import Agreement, summed, twins
from stopline.export.families.family import Family
from stopline.export.raw import ExportError, Floats
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.letterbox import letterbox

Run = Callable[[Floats], Floats]  # images (n, 3, h, w) → what a raw detector gives for them

COMPARED_FROM = 0.05  # score; a box below says nothing that anyone acts on
# A counterpart may lie lower: a box at the threshold itself must not count as lost.
FOUND_FROM = 0.01
# Before NMS: it is the same code for both, and of two boxes that tie it may keep either.
KEEP_ALL = 1.0
BACKEND = "onnxruntime"


class ParityError(ExportError):
    """A bundle that does not find what its source finds; says by how much."""


@dataclass(frozen=True, slots=True)
class ParityLimits:
    """What two runs of one float32 detector may differ by."""

    matched: float = 0.99  # share; boxes that tie for the last of the k places may fall out
    score: float = 0.005
    box_px: float = 1.0  # pixels of the frame


@dataclass(frozen=True, slots=True)
class Parity(Agreement):
    """Detections of a bundle against those of its source, both through the runtime's own code."""

    def __str__(self) -> str:
        return (
            f"{self.matched:.2%} of {self.boxes} boxes in {self.images} images match, scores "
            f"within {self.max_score_difference:.2g}, corners within "
            f"{self.max_corner_px:.2g} px"
        )


def check_parity(
    bundle: Bundle,
    family: Family,
    run: Run,
    images: Iterable[Image],
    limits: ParityLimits | None = None,
) -> Parity:
    """Compare `bundle` on `images` with `run`, decoded in numpy.

    Raises ParityError with the numbers if they differ by more than `limits`, or if nothing was
    found: two empty answers are no evidence.
    """
    limits = limits or ParityLimits()
    parity = measured_parity(bundle, family, run, images)
    if parity.boxes == 0:
        raise ParityError(
            f"nothing scored above {COMPARED_FROM} in {parity.images} images, so there is nothing "
            f"to compare: give images of what it detects with --images DIR"
        )
    same = parity.matched >= limits.matched
    close = parity.max_score_difference <= limits.score and parity.max_corner_px <= limits.box_px
    if not (same and close):
        raise ParityError(
            f"{bundle.manifest.name} does not find what its source finds: {parity}; wanted "
            f"{limits.matched:.2%}, {limits.score} and {limits.box_px} px"
        )
    return parity


def measured_parity(bundle: Bundle, family: Family, run: Run, images: Iterable[Image]) -> Parity:
    """The numbers alone."""
    settings = DetectorSettings(BACKEND, min_score=FOUND_FROM, max_iou=KEEP_ALL)
    seen = list(images)
    with Detector(bundle, settings=settings) as detector:
        found = list(detector.each(seen))
    wanted = [source_detections(image, bundle, family, run) for image in seen]
    pairs = zip(found, wanted, strict=True)
    both = summed([twins(one, other, COMPARED_FROM) for one, other in pairs])
    return Parity(**asdict(both))


def source_detections(image: Image, bundle: Bundle, family: Family, run: Run) -> Detections:
    """What the source finds in one image: laid, normalised and decoded in numpy."""
    manifest = bundle.manifest
    hw = (manifest.input.height, manifest.input.width)
    laid = np.empty((*hw, 3), np.uint8)
    fit = letterbox(image, laid, family.resize, manifest.input.pad)
    images = family.normalise(laid.transpose(2, 0, 1)[None].astype(np.float32))
    boxes, scores = (each[0] for each in family.decode(run(images), hw))
    best = np.argsort(-scores.max(axis=1), kind="stable")[: manifest.boxes]
    best = best[scores[best].max(axis=1) >= FOUND_FROM]
    classes, score = scores[best].argmax(axis=1), scores[best].max(axis=1)
    return Detections(fit.frame_from_input(boxes[best]), score, classes, manifest.classes)
