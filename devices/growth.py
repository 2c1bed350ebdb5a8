"""Whether a process grows: memory, descriptors and threads over time, and what noise allows to say.

A slope over minutes says what happens in weeks only with its interval beside it.
"""

import os
from collections.abc import Sequence
from enum import Enum
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MIB = 1 << 20
BLOCKS = 12  # medians of so many stretches: neighbouring samples are not independent
HOUR_S = 3600.0
MOST_MIB = 8.0  # an hour, of memory: what half an hour can tell from noise
MOST_HELD = 2.0  # an hour, of descriptors and of threads


class Sample(NamedTuple):
    """What a process held at one moment."""

    at_s: float
    rss_mib: float
    fds: int
    threads: int


class Slope(NamedTuple):
    """Growth an hour, with its 95 % interval."""

    per_hour: float
    low: float
    high: float


class Verdict(str, Enum):
    """Of a slope against what is allowed."""

    GROWS = "grows"  # more than allowed, beyond doubt
    STEADY = "steady"  # less than allowed, beyond doubt
    UNSURE = "cannot tell"  # look for longer


class Growth(NamedTuple):
    """Of one quantity."""

    quantity: str
    slope: Slope
    limit: float
    verdict: Verdict


def sample(pid: int, at_s: float, proc: Path = Path("/proc")) -> Sample:
    """Raise OSError if there is no such process, or it is not ours to look at."""
    process = proc / str(pid)
    resident_pages = int((process / "statm").read_text().split()[1])
    rss_mib = resident_pages * os.sysconf("SC_PAGE_SIZE") / MIB
    fds = sum(1 for _ in (process / "fd").iterdir())
    threads = sum(1 for _ in (process / "task").iterdir())
    return Sample(at_s, rss_mib, fds, threads)


def slope(at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Theil and Sen's median of all slopes between blocks, with Sen's interval (JASA 63, 1968).

    Raises ValueError for fewer than two samples a block.
    """
    if len(values) < 2 * BLOCKS:
        raise ValueError(f"{len(values)} samples: a slope wants {2 * BLOCKS} at least")
    times, medians = _blocks(at_s), _blocks(values)
    pairs = combinations(range(BLOCKS), 2)
    slopes = np.sort([(medians[j] - medians[i]) / (times[j] - times[i]) for i, j in pairs])
    # The standard deviation of Kendall's S without ties.
    spread = 1.96 * np.sqrt(BLOCKS * (BLOCKS - 1) * (2 * BLOCKS + 5) / 18)
    first = int((len(slopes) - spread) / 2)
    low, middle, high = slopes[first], np.median(slopes), slopes[-1 - first]
    return Slope(*(float(each) * HOUR_S for each in (middle, low, high)))


def growths(samples: Sequence[Sample], most_mib: float = MOST_MIB) -> list[Growth]:
    """Of memory, `most_mib` an hour of which are allowed, descriptors and threads.

    Leave out the samples of the warm-up.
    """
    at_s = [each.at_s for each in samples]
    found = []
    for quantity, limit in {"rss_mib": most_mib, "fds": MOST_HELD, "threads": MOST_HELD}.items():
        grown = slope(at_s, [getattr(each, quantity) for each in samples])
        found.append(Growth(quantity, grown, limit, _verdict(grown, limit)))
    return found


def _blocks(values: Sequence[float]) -> NDArray[np.floating]:
    return np.array([np.median(block) for block in np.array_split(values, BLOCKS)])


def _verdict(grown: Slope, limit: float) -> Verdict:
    if grown.low > limit:
        return Verdict.GROWS
    return Verdict.STEADY if grown.high <= limit else Verdict.UNSURE
