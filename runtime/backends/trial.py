"""INT8 tried on this CPU beside FP32: does it give the answer, and is it faster?"""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes, Image
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.detections import Detections
from stopline.runtime.selftest import SelfTest

SURE = 0.1  # above the score it is used from; a box nearer to it may fall below in any arithmetic
SAME_IOU = 0.5
FOUND_SHARE = 0.9  # of the sure boxes; saturated kernels find few or none
BUDGET_NS = 500_000_000  # for the timing; opening two graphs comes on top
FEWEST, MOST = 3, 15  # pairs
WARM_UP = 2  # runs of each


class Tried(Protocol):
    """What a trial needs of a detector; `Detector` is one."""

    def __call__(self, image: Image) -> Detections: ...

    def close(self) -> None: ...


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`time_share` is what INT8 takes of the time of FP32; None if `failure` says why not."""

    failure: str | None
    time_share: float | None
    pairs: int


def try_int8(
    open_int8: Callable[[], Tried],
    open_fp32: Callable[[], Tried],
    test: SelfTest,
    used_from: float,
    clock: Clock = time.monotonic_ns,
) -> Trial:
    """Run the self-test in INT8, then time both on its image in turn, for about half a second.

    Raises BackendError if one of them cannot be opened or run.
    """
    int8 = open_int8()
    try:
        failure = selftest_failure(int8(test.image), test, used_from + SURE)
        if failure is not None:
            return Trial(failure, None, 0)
        fp32 = open_fp32()
        try:
            shares = _time_shares(lambda: int8(test.image), lambda: fp32(test.image), clock)
        finally:
            fp32.close()
        return Trial(None, float(np.median(shares)), len(shares))
    finally:
        int8.close()


def selftest_failure(found: Detections, test: SelfTest, sure_from: float) -> str | None:
    """What is wrong with `found`, if it is another answer altogether; None if it is not.

    Of the boxes that are sure in the one, nine in ten must be in the other, at any score. That
    tells a broken kernel from a sound one, and says nothing of the last percent of accuracy.
    """
    for one, other, fault in (
        (test.boxes, found, "of its boxes are found"),
        (found, test.boxes, "of what is found is there"),
    ):
        sure = one.scores >= sure_from
        there = int(_has_twin(one, other)[sure].sum())
        if there < FOUND_SHARE * sure.sum():
            return f"it fails its self-test: {there} of {sure.sum()} {fault}"
    if not (test.boxes.scores >= sure_from).any():
        return f"its self-test has no box with a score of {sure_from:g}, and so proves nothing"
    return None


def _has_twin(some: Detections, others: Detections) -> NDArray[np.bool_]:
    same_class = some.classes[:, None] == others.classes[None, :]
    same_box = _iou(some.boxes, others.boxes) >= SAME_IOU
    return np.asarray((same_class & same_box).any(axis=1), np.bool_)


def _iou(left: Boxes, right: Boxes) -> NDArray[np.float64]:
    """(m, 4) and (n, 4) xyxy → (m, n)."""
    lower = np.maximum(left[:, None, :2], right[None, :, :2])
    upper = np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.clip(upper - lower, 0, None).prod(axis=2, dtype=np.float64)
    area_of_left, area_of_right = (
        np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1, dtype=np.float64)
        for boxes in (left, right)
    )
    either = area_of_left[:, None] + area_of_right[None, :] - shared
    iou: NDArray[np.float64] = shared / np.maximum(either, np.finfo(np.float64).tiny)
    return iou


def _time_shares(
    first: Callable[[], object], second: Callable[[], object], clock: Clock
) -> list[float]:
    """Time of `first` over that of `second`, pair by pair: other work on the machine meets both."""
    for _ in range(WARM_UP):
        first()
        second()
    started_ns = clock()
    shares: list[float] = []
    while len(shares) < FEWEST or (len(shares) < MOST and clock() - started_ns < BUDGET_NS):
        ours_ns, theirs_ns = _took_ns(first, clock), _took_ns(second, clock)
        shares.append(ours_ns / max(theirs_ns, 1))
    return shares


def _took_ns(call: Callable[[], object], clock: Clock) -> int:
    started_ns = clock()
    call()
    return clock() - started_ns
