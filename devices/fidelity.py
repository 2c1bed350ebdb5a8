"""How far a variant of a bundle answers as another does, both through the runtime's detector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stopline.devices.agreement import SLACK, agreement
from stopline.devices.coco import CocoSet, load_image
from stopline.devices.evaluation import MIN_SCORE
from stopline.devices.judging import Judged, judged, vocabulary
from stopline.devices.paired import Paired, paired
from stopline.devices.pictures import spread
from stopline.devices.recorded import Recorded, record
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Fidelity, Precision

EXACT = "exact"
# Boxes are paired before suppression: it is the same code for both, and of two boxes that tie it
# may keep either. On 265 images FP16 matched 99.99 % of FP32's boxes before it, 99.4 % after.
KEEP_ALL = 1.0
NOTHING_KNOWN = Paired(None, None, {}, None, None)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What variants are compared on: boxes in `scenes`, AP where there are labels."""

    scenes: Sequence[Image]
    where: str  # the scenes come from
    labelled: CocoSet | None = None

    @property
    def steps(self) -> int:
        """Images that each variant looks at."""
        return len(self.scenes) + (len(self.labelled.images) if self.labelled else 0)


@dataclass(frozen=True)
class Run:
    """One way to run one variant. `arithmetic` names it if the backend's name does not say all."""

    precision: Precision
    backend: str | None
    arithmetic: str = ""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one variant found. `recorded` is None without labels."""

    precision: Precision
    arithmetic: str
    candidates: tuple[Detections, ...]  # in each of the scenes
    recorded: Recorded | None


def evidence_of(labelled: CocoSet) -> Evidence:
    """A labelled set, with scenes spread over it."""
    scenes = [load_image(one) for one in spread(labelled.images)]
    return Evidence(scenes, labelled.name, labelled)


def answers(
    bundle: Bundle, run: Run, evidence: Evidence, on_image: Callable[[], None] = lambda: None
) -> Answers:
    """Run a variant on all the evidence; raises as Detector does, and for unreadable images."""
    lowest = max(0.0, bundle.manifest.thresholds.min_score - SLACK)
    settings = DetectorSettings(run.backend, run.precision, lowest, KEEP_ALL)
    with Detector(bundle, settings=settings) as detector:
        candidates = record(detector, evidence.scenes, on_image).found
        backend = detector.backend
    recorded = None
    if evidence.labelled is not None:
        settings = DetectorSettings(run.backend, run.precision, MIN_SCORE)
        images = (load_image(image) for image in evidence.labelled.images)
        with Detector(bundle, settings=settings) as detector:
            recorded = record(detector, images, on_image)
    return Answers(run.precision, run.arithmetic or backend, candidates, recorded)


def fidelity(
    reference: Answers, variant: Answers, evidence: Evidence, min_score: float
) -> Fidelity:
    """Compare two variants that were run on the same evidence."""
    boxes = agreement(reference.candidates, variant.candidates, min_score)
    labelled = evidence.labelled
    kept = NOTHING_KNOWN if labelled is None else _paired(reference, variant, labelled)
    return Fidelity(
        dataset=evidence.where,
        images=0 if labelled is None else len(labelled.images),
        arithmetic=variant.arithmetic,
        AP_share=kept.share,
        AP_interval=kept.interval,
        classes=kept.classes,
        boxes=boxes.boxes,
        matched=boxes.matched,
        mean_score_difference=boxes.mean_score_difference,
        scenes=boxes.images,
        against=reference.precision,
    )


def ap_of(found: Answers, labelled: CocoSet) -> float | None:
    """COCO AP on the labelled set."""
    return _paired(found, found, labelled).after


def _paired(reference: Answers, variant: Answers, labelled: CocoSet) -> Paired:
    assert reference.recorded is not None
    classes = vocabulary(reference.recorded.names, labelled, {}).scored
    return paired(_judged(reference, labelled), _judged(variant, labelled), classes)


def _judged(of: Answers, labelled: CocoSet) -> list[Judged]:
    assert of.recorded is not None
    words = vocabulary(of.recorded.names, labelled, {})
    pairs = zip(of.recorded.found, labelled.images, strict=True)
    return [judged(found, image, words, image.labelled) for found, image in pairs]
