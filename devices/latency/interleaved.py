"""Two detectors measured in turn, run by run in random order: what befalls one befalls both.

Times are without those spent waiting for a core, where the kernel tells: that is other programs'
doing, and on a shared machine ten times what one wants to see. Both are opened anew again and
again: where its memory happens to lie makes a session a percent faster or slower than the next of
the same graph, for as long as it lives ("Producing Wrong Data Without Doing Anything Obviously
Wrong!", Mytkowicz et al. 2009).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from stopline.devices.latency.closed_loop import Query, Run, query_of
from stopline.devices.latency.comparison import Comparison, compare_pairs
from stopline.devices.latency.replay import Kept
from stopline.devices.latency.report import Against, Subject
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.detector import Detector

PAIRS = 30  # of one opening
WARM_UP = 5  # runs of each, before its pairs
FEWEST = 60  # pairs in all
SHARP = 0.008  # half of the interval's width, at which measuring longer changes no verdict
LONGER = 20  # times as long as was asked for, on a machine that is never quiet

Opens: TypeAlias = Callable[[], AbstractContextManager[Query]]


class Pairs(NamedTuple):
    """One run of each, as often as there was time."""

    a_ms: list[float]
    b_ms: list[float]
    seconds: float
    minus_waiting: bool

    def compared(self) -> Comparison:
        """B against A."""
        return compare_pairs(self.a_ms, self.b_ms)


def in_turn(
    a: Opens, b: Opens, seconds: float, seed: int = 0, clock: Clock = time.monotonic_ns
) -> Pairs:
    """For that long, and then until the ratio is known well enough, or twenty times as long.

    When to stop depends on the width of the interval and not on where it lies, so that looking
    more than once finds no more differences than there are.
    """
    random = np.random.default_rng(seed)
    began_ns = clock()
    pairs: list[tuple[Run, Run]] = []
    while True:
        # Which is opened first is chance too: it lies otherwise in memory.
        a_first = random.random() < 0.5
        with (a if a_first else b)() as first, (b if a_first else a)() as second:
            both = (first, second) if a_first else (second, first)
            pairs += _one_opening(*both, random)
        lasted_s = (clock() - began_ns) / 1e9
        if len(pairs) < FEWEST or lasted_s < seconds:
            continue
        found = _pairs(pairs, lasted_s)
        if lasted_s >= LONGER * seconds or _sharp(found.compared()):
            return found


def measure_against(
    opens: tuple[Callable[[], Detector], Callable[[], Detector]],
    subjects: tuple[Subject, Subject],
    kept: Kept,
    seconds: float,
) -> Against:
    """The second in turn with the first, on the same images."""
    a, b = (partial(queries, one, kept) for one in opens)
    pairs = in_turn(a, b, seconds)
    return Against(
        subjects=subjects,
        comparison=pairs.compared(),
        seconds=pairs.seconds,
        minus_waiting=pairs.minus_waiting,
        a_ms=[round(one, 4) for one in pairs.a_ms],
        b_ms=[round(one, 4) for one in pairs.b_ms],
    )


@contextmanager
def queries(opened: Callable[[], Detector], kept: Kept) -> Iterator[Query]:
    """Of a detector that is closed afterwards."""
    with opened() as detector:
        yield query_of(detector, kept.images)


def _one_opening(a: Query, b: Query, random: np.random.Generator) -> Iterator[tuple[Run, Run]]:
    for _ in range(WARM_UP):
        a(), b()
    for _ in range(PAIRS):
        if random.random() < 0.5:
            first = a()
            yield first, b()
        else:
            second = b()
            yield a(), second


def _sharp(found: Comparison) -> bool:
    if found.interval is None:
        return False
    low, high = found.interval
    return high - low <= 2 * SHARP


def _pairs(pairs: Sequence[tuple[Run, Run]], seconds: float) -> Pairs:
    told = all(run.waited_ms is not None for pair in pairs for run in pair)
    times = [[run.own_ms if told else run.engine_ms for run in pair] for pair in pairs]
    a_ms, b_ms = (list(one) for one in zip(*times, strict=True))
    return Pairs(a_ms, b_ms, seconds, told)
