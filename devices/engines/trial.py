"""An engine run on this board: the boxes of the self-test, and how long it takes.

Not run on a GPU yet; the same code runs with the backends of a CPU in the tests.
"""

import time
from collections.abc import Callable

import numpy as np

from stopline.devices.engines.network import EngineError
from stopline.devices.fidelity import Run
from stopline.devices.selftest import selftested
from stopline.runtime.backends.engine_record import Trial
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Precision
from stopline.runtime.selftest import read_selftest

WARM_UP, RUNS = 20, 200


def try_engine(bundle: Bundle, precision: Precision, backend: str = "tensorrt") -> Trial:
    """Raises EngineError if the engine finds other boxes than FP32 did where it was exported."""
    test = read_selftest(bundle)
    tested = selftested(bundle, Run(precision, backend), test)
    if tested.failure is not None:
        raise EngineError(f"the self-test fails: {tested.failure}")
    settings = DetectorSettings(backend=backend, precision=precision)
    with Detector(bundle, settings=settings) as detector:
        times_ms = timed(lambda: detector.detect([test.image]), WARM_UP, RUNS)
    p50, p90 = (float(np.percentile(times_ms, share)) for share in (50, 90))
    agrees = f"{tested.found.matched:.0%} of {tested.found.boxes} boxes have a counterpart"
    return Trial(runs=len(times_ms), p50_ms=p50, p90_ms=p90, agrees=agrees)


def timed(
    run: Callable[[], object],
    warm_up: int,
    runs: int,
    clock: Callable[[], int] = time.monotonic_ns,
) -> list[float]:
    """Milliseconds of each run after those that warm up."""
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(runs):
        started = clock()
        run()
        times.append((clock() - started) / 1e6)
    return times
