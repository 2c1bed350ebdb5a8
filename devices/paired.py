"""The AP of one detector as a share of another's, on the same images, and how sure that is.

Both are judged on the same draws of the images, so what makes a draw hard for one makes it hard
for the other, and the share is known far better than either AP: on 265 images that hold an AP to
± .06 it is known to ± .02.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.devices.average_precision import MIN_IOUS
from stopline.devices.hits import Hits, hits
from stopline.devices.judging import Judged
from stopline.devices.resampling import Draws, drawn, interval, mean_of_known, resampled_ap
from stopline.runtime.manifest import ClassKept

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Paired:
    """`share` is variant / reference; None where the reference finds nothing at all.

    `before` and `after` are the AP of each, None without labels.
    """

    share: float | None
    interval: tuple[float, float] | None  # 95 % of the draws
    classes: dict[str, ClassKept]  # those with a box in the set
    before: float | None
    after: float | None


def paired(
    reference: Sequence[Judged], variant: Sequence[Judged], classes: Sequence[str]
) -> Paired:
    """AP over COCO's ten IoUs, its mean over the classes, and each of them."""
    groups = [one.image.group for one in reference]
    counts = np.vstack([np.ones(len(groups)), drawn(groups, DRAWS)])  # first the set as it is
    found = [hits(judged, len(classes)) for judged in (reference, variant)]
    before, after = (resampled_ap(one, counts, range(len(MIN_IOUS))) for one in found)
    kept = _of_classes(classes, found[0], before, after)
    boxes = sum(int(one.labels.sum()) for one in found[0])
    means = mean_of_known(before), mean_of_known(after)
    share, within = _share(*means, boxes)
    return Paired(share, within, kept, float(means[0][0]), float(means[1][0]))


def _of_classes(
    classes: Sequence[str], reference: Sequence[Hits], before: Draws, after: Draws
) -> dict[str, ClassKept]:
    kept = {}
    for index, name in enumerate(classes):
        boxes = int(reference[index].labels.sum())
        share, within = _share(before[:, index], after[:, index], boxes)
        if share is not None:
            kept[name] = ClassKept(share=share, interval=within, boxes=boxes)
    return kept


def _share(
    before: NDArray[np.float64], after: NDArray[np.float64], boxes: int
) -> tuple[float | None, tuple[float, float] | None]:
    """(1 + draws,) each, the set itself first → its share, and the interval of the draws."""
    share = np.divide(after, before, out=np.full(len(after), np.nan), where=before > 0)
    return (None if np.isnan(share[0]) else float(share[0])), interval(share[1:], boxes)
