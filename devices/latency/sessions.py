"""The engine in new sessions of one graph, because a session keeps the luck of its memory.

Windows of one session tell how sure its own time is, and nothing of the next session's: that may be
a percent faster or slower for as long as it lives. Two reports are compared by these.
"""

from collections.abc import Callable, Sequence

from stopline.devices.latency.closed_loop import query_of, repeated
from stopline.devices.latency.report import Sessions
from stopline.runtime.arrays import Image
from stopline.runtime.detector import Detector
from stopline.runtime.sinks.tally import percentile

COUNT = 24
WARM_UP = 3  # runs of each
FEWEST = 5  # runs of each, however short the time


def sessions(reopen: Callable[[], Detector], images: Sequence[Image], seconds: float) -> Sessions:
    """Twenty-four, each for its share of the time."""
    medians: list[float] = []
    runs = 0
    told = True
    for _ in range(COUNT):
        with reopen() as detector:
            query = query_of(detector, images)
            found = repeated(query, seconds / COUNT, WARM_UP + FEWEST)[WARM_UP:]
        told = told and all(one.waited_ms is not None for one in found)
        median = percentile([one.own_ms for one in found], 0.5)
        assert median is not None
        medians.append(median)
        runs += len(found)
    return Sessions(runs=runs, minus_waiting=told, p50_ms=medians)
