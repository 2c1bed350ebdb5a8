"""Whether this machine finds in a bundle's own image what was found where it was exported."""

from dataclasses import dataclass

from stopline.devices.agreement import SLACK, Agreement, agreement
from stopline.devices.fidelity import Run
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Precision
from stopline.runtime.selftest import SelfTest

LEAST_SCORE = 0.01


@dataclass(frozen=True, slots=True)
class SelfTestLimits:
    """What a variant may differ by from FP32's boxes, which are those that a bundle carries."""

    min_iou: float
    matched: float  # share of the boxes with a counterpart
    score: float  # mean difference of the matched


# Suppression may keep another of two boxes that tie: FP16 matches 98 % of road-nano's 116 boxes.
# INT8 that keeps 99 % of AP moves boxes by a few pixels, which is far at IoU 0.9: it matches 72 %
# there and 97 % at 0.5; saturated kernels match none.
LIMITS: dict[Precision, SelfTestLimits] = {
    "fp32": SelfTestLimits(min_iou=0.9, matched=0.99, score=0.001),
    "fp16": SelfTestLimits(min_iou=0.9, matched=0.95, score=0.01),
    "int8": SelfTestLimits(min_iou=0.5, matched=0.9, score=0.1),
}


@dataclass(frozen=True, slots=True)
class SelfTested:
    """`failure` says what is wrong; None if the answer is right.."""

    backend: str
    found: Agreement
    failure: str | None


def selftested(bundle: Bundle, run: Run, test: SelfTest) -> SelfTested:
    """Run it; raises BackendError or NotHere where it cannot be run at all."""
    lowest = max(LEAST_SCORE, test.min_score - SLACK)
    settings = DetectorSettings(run.backend, run.precision, lowest)
    with Detector(bundle, settings=settings) as detector:
        found, backend = detector(test.image), detector.backend
    limits = LIMITS[run.precision]
    both = agreement([test.boxes], [found], test.min_score, limits.min_iou)
    return SelfTested(backend, both, _failure(both, limits))


def _failure(both: Agreement, limits: SelfTestLimits) -> str | None:
    if both.matched < limits.matched:
        return (
            f"{both.matched:.0%} of the {both.boxes} boxes of the self-test match, wanted "
            f"{limits.matched:.0%}"
        )
    if both.mean_score_difference > limits.score:
        return (
            f"scores of the self-test differ by {both.mean_score_difference:.3f} on average, "
            f"wanted {limits.score:g}"
        )
    return None
