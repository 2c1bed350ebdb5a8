"""COCO AP of a detector on a labelled set, measured through the code that runs on the board.

What partial labels mean for each figure:

- AP, AP50, AP75 and recall of a class are over the images in which it is labelled, and no others.
- Where a class is `positive_only`, its boxes are known and other objects of it may have none.
  Such an image can give hits and no false alarms, so counting it would raise AP whatever the
  detector does. It is left out of AP; how many of its boxes were found is told apart, in
  `positive_only`.
- A class of the set that the detector does not have is no part of the mean, and is named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stopline.devices.average_precision import MIN_IOUS, Curves, curves
from stopline.devices.coco import CocoSet, LabelledImage, load_image
from stopline.devices.confusion import confusion, matches
from stopline.devices.hits import hits
from stopline.devices.judging import Judged, Vocabulary, judged, vocabulary
from stopline.devices.mistakes import Mistake, worst_false, worst_missed
from stopline.devices.resampling import Draws, drawn, interval, mean_of_known, resampled_ap
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections

MIN_SCORE = 0.01  # of a detector to be evaluated: AP is over all its scores, the low ones too
MISTAKES = 12  # of each kind that are kept


class Evaluated(Protocol):
    """What `evaluate` needs of a detector; `runtime.detector.Detector` is one."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def min_score(self) -> float: ...

    @property
    def precision(self) -> str: ...

    @property
    def backend(self) -> str: ...

    def each(self, images: Iterable[Image]) -> Iterator[Detections]: ...


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """`class_map` is detector class → class of the set; `score` is where the detector is used."""

    class_map: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.3  # for confusion, precision and mistakes; AP is over all scores
    resamples: int = 200  # of the images, for the intervals; 0 for none


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class, None where there is nothing to compute them of.

    `recall` is COCO's at IoU 0.5: of the boxes, the share found at any score.
    `AP50_interval` is where 95 % of resampled sets lie; None if it was not asked for, or if there
    are too few boxes for it to mean anything. Images of one group are drawn together; without
    groups frames of one drive pass for independent, and are less certain than it says.
    """

    AP: float | None
    AP50: float | None
    AP75: float | None
    recall: float | None
    boxes: int
    images: int  # in which the class is labelled
    AP50_interval: tuple[float, float] | None
    precision_at_score: float | None
    recall_at_score: float | None


@dataclass(frozen=True, slots=True)
class PositiveOnly:
    """What was found of a class in images where its other objects may have no box."""

    boxes: int
    recall: float  # as in ClassFigures


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The figures of a detector on a set. AP, AP50 and AP75 are means over the classes."""

    variant: str
    backend: str
    dataset: str
    images: int
    AP: float
    AP50: float
    AP75: float
    AP50_interval: tuple[float, float] | None
    classes: dict[str, ClassFigures]
    positive_only: dict[str, PositiveOnly]
    of_set_only: tuple[str, ...]
    of_detector_only: tuple[str, ...]
    score: float
    confusion: NDArray[np.int64]  # see confusion.confusion
    missed: tuple[Mistake, ...]
    false: tuple[Mistake, ...]


def evaluate(
    detector: Evaluated,
    coco_set: CocoSet,
    settings: EvaluationSettings | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Detect in every image and score it; `on_image` is called after each.

    Raises ValueError or OSError for an image that cannot be read, a detector that keeps its low
    scores to itself, a set with nothing in it to score; ImportError without faster-coco-eval.
    """
    settings = settings or EvaluationSettings()
    _refuse_hidden_scores(detector)
    words = vocabulary(detector.names, coco_set, settings.class_map)
    labelled, positive = _judged(detector, coco_set.images, words, on_image)
    scored = curves(labelled, len(words.scored))
    _refuse_nothing_scored(scored, coco_set, words)
    matched = [matches(one, settings.score) for one in labelled]
    table = confusion(matched, len(words.scored))
    ap, ap50, ap75 = _means(scored.precision)
    draws = _resampled_ap50(labelled, len(words.scored), settings.resamples)
    return Evaluation(
        variant=detector.precision,
        backend=detector.backend,
        dataset=coco_set.name,
        images=len(coco_set.images),
        AP=float(np.nanmean(ap)),
        AP50=float(np.nanmean(ap50)),
        AP75=float(np.nanmean(ap75)),
        AP50_interval=interval(mean_of_known(draws), int(table[:-1].sum())),
        classes=_figures(_Counted(scored, table, draws), labelled, words),
        positive_only=_positive_only(positive, words),
        of_set_only=words.of_set_only,
        of_detector_only=words.of_detector_only,
        score=settings.score,
        confusion=table,
        missed=worst_missed(matched, words.scored, MISTAKES),
        false=worst_false(matched, words.scored, MISTAKES),
    )


def _refuse_hidden_scores(detector: Evaluated) -> None:
    if detector.min_score > MIN_SCORE:
        raise ValueError(
            f"the detector hides scores below {detector.min_score:g}, which lowers AP: open it "
            f"with DetectorSettings(min_score={MIN_SCORE:g})"
        )


def _refuse_nothing_scored(scored: Curves, coco_set: CocoSet, words: Vocabulary) -> None:
    if np.isnan(scored.recall).all():
        raise ValueError(
            f"{coco_set.name} has no box to score in its {len(coco_set.images)} images: wanted "
            f"one of {', '.join(words.scored)}, in an image whose labelled_categories names it"
        )


def _judged(
    detector: Evaluated,
    images: Sequence[LabelledImage],
    words: Vocabulary,
    on_image: Callable[[], None],
) -> tuple[list[Judged], list[Judged]]:
    """What counts of the labelled classes, and of the positive-only ones."""
    labelled, positive = [], []
    answers = detector.each(load_image(image) for image in images)
    for image, found in zip(images, answers, strict=True):
        labelled.append(judged(found, image, words, image.labelled))
        if image.positive_only:
            positive.append(judged(found, image, words, image.positive_only))
        on_image()
    return labelled, positive


def _means(precision: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """(10, 101, classes) → AP, AP50 and AP75 of each class."""
    at_50, at_75 = (int(np.argmin(np.abs(MIN_IOUS - iou))) for iou in (0.5, 0.75))
    of_iou = precision.mean(axis=1)
    return of_iou.mean(axis=0), of_iou[at_50], of_iou[at_75]


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    scored: Curves
    table: NDArray[np.int64]
    resampled_ap50: Draws


def _resampled_ap50(labelled: Sequence[Judged], classes: int, draws: int) -> Draws:
    counts = drawn([one.image.group for one in labelled], draws)
    at_50 = int(np.argmin(np.abs(MIN_IOUS - 0.5)))
    return resampled_ap(hits(labelled, classes), counts, [at_50])


def _figures(
    counted: _Counted, labelled: Sequence[Judged], words: Vocabulary
) -> dict[str, ClassFigures]:
    scored, table = counted.scored, counted.table
    ap, ap50, ap75 = _means(scored.precision)
    right, there, found = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    return {
        name: ClassFigures(
            AP=_known(ap[index]),
            AP50=_known(ap50[index]),
            AP75=_known(ap75[index]),
            recall=_known(scored.recall[0, index]),
            boxes=int(there[index]),
            images=sum(name in one.image.labelled for one in labelled),
            AP50_interval=interval(counted.resampled_ap50[:, index], int(there[index])),
            precision_at_score=_share(right[index], found[index]),
            recall_at_score=_share(right[index], there[index]),
        )
        for index, name in enumerate(words.scored)
    }


def _positive_only(positive: Sequence[Judged], words: Vocabulary) -> dict[str, PositiveOnly]:
    if not positive:
        return {}
    recall = curves(positive, len(words.scored)).recall[0]
    counts = np.zeros(len(words.scored), np.int64)
    for one in positive:
        np.add.at(counts, one.classes[~one.crowd], 1)
    return {
        name: PositiveOnly(int(counts[index]), float(recall[index]))
        for index, name in enumerate(words.scored)
        if counts[index]
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
