"""AP of a set whose images are drawn again with replacement: the bootstrap.

"Bootstrap Methods: Another Look at the Jackknife", Efron 1979. A draw gives every image a count.
Precision as COCO takes it can only be highest at a hit, so a draw needs no more than how many hits
and how many detections there are up to each hit: two matrix products for all draws at once.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stopline.devices.hits import Hits

RECALLS = np.linspace(0, 1, 101)
AT_ONCE = 250  # draws; those of a large set would fill the memory

FEWEST = 10  # boxes; resampling one right box says 1 to 1, which is not what is known

Counts: TypeAlias = NDArray[np.float64]  # (draws, images) how often each image was drawn
Draws: TypeAlias = NDArray[np.float64]  # (draws, classes) a figure of each class in each draw


def drawn(groups: Sequence[str | None], draws: int, seed: int = 0) -> Counts:
    """Draw as many groups as there are; an image without a group is one of its own.

    Frames of one drive are much alike, so they are drawn together or not at all.
    """
    own = [f"{at}" if group is None else f"group {group}" for at, group in enumerate(groups)]
    names, group_of = np.unique(own, return_inverse=True)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    of_images: Counts = counts[:, group_of].astype(np.float64)
    return of_images


def resampled_ap(found: Sequence[Hits], counts: Counts, ious: Sequence[int]) -> Draws:
    """(draws, classes) AP over those of the ten IoUs; nan where a draw has nothing to find."""
    ap = np.empty((len(counts), len(found)))
    for start in range(0, len(counts), AT_ONCE):
        some = counts[start : start + AT_ONCE]
        for index, one in enumerate(found):
            ap[start : start + AT_ONCE, index] = _ap(one, some, ious)
    return ap


def mean_of_known(ap: Draws) -> NDArray[np.float64]:
    """(draws, classes) → (draws,); nan only where a draw holds nothing of any class."""
    known = ~np.isnan(ap)
    count = known.sum(axis=1)
    total = np.where(known, ap, 0).sum(axis=1)
    mean: NDArray[np.float64] = np.full(len(ap), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def interval(draws: NDArray[np.float64], boxes: int) -> tuple[float, float] | None:
    """Where 95 % of the draws lie; None if none is known, or of so few boxes that it misleads."""
    known = draws[~np.isnan(draws)]
    if known.size == 0 or boxes < FEWEST:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _ap(found: Hits, counts: Counts, ious: Sequence[int]) -> NDArray[np.float64]:
    there = counts @ found.labels
    at_iou = [_precision(found, counts, there, iou) for iou in ious]
    return np.where(there > 0, np.mean(at_iou, axis=0), np.nan)


def _precision(
    found: Hits, counts: Counts, there: NDArray[np.float64], iou: int
) -> NDArray[np.float64]:
    """(draws,) the mean over 101 recalls of the highest precision at that recall or above."""
    hits = np.flatnonzero(found.hit[iou])
    if not len(hits):
        return np.zeros(len(counts))
    right = np.cumsum(counts[:, found.image[hits]], axis=1)  # (draws, hits)
    so_far = counts @ _seen_before(found, hits, iou, counts.shape[1])
    precision = np.divide(right, so_far, out=np.zeros_like(right), where=so_far > 0)
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return _at_recalls(right / np.maximum(there, 1)[:, None], highest)


def _seen_before(found: Hits, hits: NDArray[np.intp], iou: int, images: int) -> Counts:
    """(images, hits): how many detections of each image that count lie up to each hit."""
    counted = np.flatnonzero(~found.ignored[iou])
    first_hit = np.searchsorted(hits, counted)
    before = np.zeros((images, len(hits) + 1))  # the last column: after the last hit
    np.add.at(before, (found.image[counted], first_hit), 1)
    return np.cumsum(before[:, :-1], axis=1)


def _at_recalls(recall: Counts, precision: Counts) -> NDArray[np.float64]:
    """(draws, hits) twice, recall ascending → (draws,); a recall that is not reached gives 0."""
    hits = recall.shape[1]
    first = np.stack([np.searchsorted(row, RECALLS) for row in recall])  # (draws, 101)
    reached = np.take_along_axis(precision, np.minimum(first, hits - 1), axis=1)
    mean: NDArray[np.float64] = np.where(first < hits, reached, 0).mean(axis=1)
    return mean
