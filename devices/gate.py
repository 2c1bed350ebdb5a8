"""Whether a variant may stand for FP32: 99 % of its AP, shown on enough images, in every class."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

from stopline.runtime.manifest import ClassKept, Fidelity, Precision


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a variant must keep of FP32.

    `margin` is how far below `share` the interval of 95 % may reach. On 265 street images that of
    a good INT8 variant reaches .02 to .03 below what was measured, on 40 images .04 to .08.
    """

    share: float = 0.99  # of AP, over all classes and in each
    margin: float = 0.03
    least_images: int = 100  # labelled; fewer hardly hold what a variant loses, so draws are alike
    matched: float = 0.99  # of the boxes, for FP16: before suppression it matches 99.99 %
    score: float = 0.01  # mean difference of the matched, for FP16: it has .001
    least_boxes: int = 300  # without a miss among so many, 99 % is shown to 95 %


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why not, in sentences: it answers otherwise, or there is too little to show that it does not.

    `not_shown` names the classes whose few boxes decide neither.
    """

    precision: Precision
    fidelity: Fidelity
    differs: tuple[str, ...]
    too_little: tuple[str, ...]
    not_shown: tuple[str, ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """Every reason."""
        return self.differs + self.too_little

    @property
    def passed(self) -> bool:
        """Nothing speaks against it."""
        return not self.refused


def judge(precision: Precision, fidelity: Fidelity, limits: GateLimits | None = None) -> Verdict:
    """Judge what was measured. FP16 is also judged by its boxes, as it has no excuse."""
    limits = limits or GateLimits()
    differs = [*_differs(fidelity, limits)]
    too_little = [*_too_little(precision, fidelity, limits)]
    if precision == "fp16":
        few = fidelity.boxes < limits.least_boxes
        too_little += [_few_boxes(fidelity, limits)] if few else []
        differs += [] if few else _boxes(fidelity, limits)
    lost = _lost(fidelity, limits)
    not_shown = [
        f"{name} ({kept.boxes} boxes)"
        for name, kept in fidelity.classes.items()
        if name not in lost and not _is_kept(kept, limits)
    ]
    return Verdict(precision, fidelity, tuple(differs), tuple(too_little), tuple(not_shown))


def _differs(said: Fidelity, limits: GateLimits) -> Iterator[str]:
    if said.AP_share is not None and said.AP_share < limits.share:
        yield f"it keeps {_of_ap(said)}, wanted {limits.share:.0%}"
    lost = [f"{name} keeps {_share(kept)}" for name, kept in _lost(said, limits).items()]
    if lost:
        yield f"{', '.join(lost)}: wanted {limits.share:.0%} in every class"


def _few_boxes(said: Fidelity, limits: GateLimits) -> str:
    return (
        f"only {said.boxes} boxes to compare in {said.scenes} images of {said.dataset}, wanted "
        f"{limits.least_boxes}: give more images of what it detects with --images DIR"
    )


def _boxes(said: Fidelity, limits: GateLimits) -> Iterator[str]:
    if said.matched < limits.matched:
        yield (
            f"{said.matched:.2%} of {said.boxes} boxes in {said.scenes} images have a counterpart "
            f"in {said.against}, wanted {limits.matched:.0%}"
        )
    if said.mean_score_difference > limits.score:
        yield (
            f"scores differ from {said.against} by {said.mean_score_difference:.3f} on average, "
            f"wanted {limits.score:g}"
        )


def _too_little(precision: Precision, said: Fidelity, limits: GateLimits) -> Iterator[str]:
    if said.AP_share is None:
        if precision != "fp16":
            yield "its AP cannot be measured without labels: give some with --data COCO.json"
    elif said.AP_share >= limits.share and (more := _images_to_add(precision, said, limits)):
        yield (
            f"too few images to show {limits.share:.0%}: it keeps {_of_ap(said)}, wanted "
            f"{limits.least_images} images or more and an interval from "
            f"{limits.share - limits.margin:.2f} on; give about {more} more"
        )


def _images_to_add(precision: Precision, said: Fidelity, limits: GateLimits) -> int:
    """0 if there are enough. The width of an interval falls with the root of their number.

    FP16 is shown to be the same by its boxes, of which few images hold many.
    """
    if said.AP_share is None or said.AP_interval is None:
        return limits.least_images
    missing = 0 if precision == "fp16" else limits.least_images - said.images
    may_reach = said.AP_share - limits.share + limits.margin
    wider = (said.AP_share - said.AP_interval[0]) / may_reach
    if wider > 1:
        missing = max(missing, ceil(said.images * (wider**2 - 1)))
    return ceil(missing / 10) * 10 if missing > 0 else 0


def _lost(said: Fidelity, limits: GateLimits) -> dict[str, ClassKept]:
    """Classes that keep too little, and less than all beyond chance.

    Of many classes one is below by chance, so the chance of any is held at 2.5 %: Bonferroni's
    correction, by which the upper half of each interval grows.
    """
    asked = sum(kept.interval is not None for kept in said.classes.values())
    if not asked:
        return {}
    grown = NormalDist().inv_cdf(1 - 0.025 / asked) / NormalDist().inv_cdf(1 - 0.025)
    return {
        name: kept
        for name, kept in said.classes.items()
        if kept.share < limits.share
        and kept.interval is not None
        and kept.share + (kept.interval[1] - kept.share) * grown < 1
    }


def _is_kept(kept: ClassKept, limits: GateLimits) -> bool:
    if kept.interval is None:
        return False
    return kept.share >= limits.share and kept.interval[0] >= limits.share - limits.margin


def _of_ap(said: Fidelity) -> str:
    interval = "" if said.AP_interval is None else f", interval {_range(said.AP_interval)}"
    share = f"{said.AP_share:.1%}" if said.AP_share is not None else "an unknown share"
    return f"{share} of {said.against}'s AP ({said.images} images{interval})"


def _share(kept: ClassKept) -> str:
    interval = "" if kept.interval is None else f", interval {_range(kept.interval)}"
    return f"{kept.share:.1%} of its AP ({kept.boxes} boxes{interval})"


def _range(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
