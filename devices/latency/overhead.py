"""What looking costs, measured: the clocks around a run, and the thread that reads the sensors."""

import time

from stopline.devices.latency.report import Overhead
from stopline.devices.latency.waiting import Waiting
from stopline.devices.latency.watch import Watch

CALLS = 2000


def overhead(watch: Watch) -> Overhead:
    """Two clocks and two looks at the scheduler are around each run, five clocks in a detector."""
    waiting, began_ns = Waiting(), time.perf_counter_ns()
    for _ in range(CALLS):
        waiting()
    look_ns = (time.perf_counter_ns() - began_ns) / CALLS
    began_ns = time.perf_counter_ns()
    for _ in range(CALLS):
        time.monotonic_ns()
    clock_ns = (time.perf_counter_ns() - began_ns) / CALLS
    return Overhead(per_run_us=(2 * look_ns + 6 * clock_ns) / 1e3, watch_share=watch.share)
