"""How fast things come closer, from how fast they grow in the image.

Of what moves straight at the camera, the height in the image is one over its distance, so
d(ln height)/dt is one over the time to contact: Lee's tau ("A theory of visual control of braking
based on information about time-to-collision", Perception 5, 1976). No distance, speed or lens
need be known.

A detected box jitters by several per cent, so what counts is not the slope but what it is at
least: the lower end of the confidence interval of Theil and Sen's (Sen, "Estimates of the
regression coefficient based on Kendall's tau", JASA 63, 1968), the median of the slopes of all
pairs, which a wild box here and there does not move.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.alerts.zones import Mask
from stopline.runtime.arrays import Boxes

Floats: TypeAlias = NDArray[np.floating[Any]]

WINDOW_S = 1.0
LONGEST_S = 3.0  # the window at a few frames a second, where 1 s holds too few samples
LEAST_S = 0.4  # less than that tells jitter from growth too seldom
FEWEST, MOST = 5, 16  # samples; of more, those too close together are averaged
SURE = 1.645  # standard deviations of Kendall's statistic: 95 % that it is at least so fast
EDGE = 0.004  # of the frame; a box that comes so close to its edge is cut off by it


@dataclass(slots=True)
class _Samples:
    """The heights of one object, as (seconds, ln height, how many were averaged)."""

    kept: deque[tuple[float, float, int]] = field(default_factory=lambda: deque(maxlen=4 * MOST))
    seen_s: float = -math.inf

    def add(self, now_s: float, log_height: float) -> None:
        last = self.kept[-1] if self.kept else None
        if last is None or now_s - last[0] >= WINDOW_S / MOST:
            self.kept.append((now_s, log_height, 1))
        else:
            _, mean, count = last
            self.kept[-1] = (last[0], mean + (log_height - mean) / (count + 1), count + 1)
        while now_s - self.kept[0][0] > LONGEST_S or (
            now_s - self.kept[0][0] > WINDOW_S and len(self.kept) > FEWEST
        ):
            self.kept.popleft()

    def at_least(self) -> float | None:
        if len(self.kept) < FEWEST or self.kept[-1][0] - self.kept[0][0] < LEAST_S:
            return None
        times, logs, _ = zip(*self.kept, strict=True)
        return slope_at_least(np.array(times), np.array(logs))


class Growth:
    """Of the objects of one camera, by their tracks."""

    def __init__(self) -> None:
        self._samples: dict[int, _Samples] = {}

    def __len__(self) -> int:
        """How many objects are remembered."""
        return len(self._samples)

    def see(self, tracks: Iterable[int], boxes: Boxes, now_ns: int) -> None:
        """Learn of objects, boxes in 0..1 of the frame, and forget those that are gone.

        A box that the frame cuts off has no height; what was known of that object stands.
        """
        now_s = now_ns / 1e9
        for track, whole, log_height in zip(
            tracks, uncut(boxes).tolist(), _log_heights(boxes).tolist(), strict=True
        ):
            samples = self._samples.setdefault(track, _Samples())
            samples.seen_s = now_s
            if whole:
                samples.add(now_s, log_height)
        self._forget(now_s)

    def at_least(self, track: int) -> float | None:
        """How fast it grows at least, 1/s; None if it was not seen for long enough to say."""
        samples = self._samples.get(track)
        return None if samples is None else samples.at_least()

    def _forget(self, now_s: float) -> None:
        over = [track for track, one in self._samples.items() if now_s - one.seen_s > LONGEST_S]
        for track in over:
            del self._samples[track]


def slope_at_least(times: Floats, values: Floats) -> float:
    """What the slope is with 95 % confidence at least, by Sen's interval."""
    first, second, rank = _pairs(len(times))
    slopes = (values[second] - values[first]) / (times[second] - times[first])
    return float(np.partition(slopes, rank)[rank])


@lru_cache(4 * MOST)
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The indices of all pairs, and which of their slopes in order is the lower end."""
    first, second = np.triu_indices(count, 1)
    spread = SURE * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return first, second, max(0, math.floor((len(first) - spread) / 2))


def uncut(boxes: Boxes) -> Mask:
    """(n,) whether the upper and lower edges are in the frame."""
    whole: Mask = (boxes[:, 1] > EDGE) & (boxes[:, 3] < 1 - EDGE)
    return whole


def _log_heights(boxes: Boxes) -> Floats:
    heights: Floats = np.log(np.maximum(boxes[:, 3] - boxes[:, 1], 1e-6))
    return heights
