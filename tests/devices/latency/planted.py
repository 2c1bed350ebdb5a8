"""road-nano, and road-nano made slower by real work of a known size."""

import time
from functools import partial

from stopline.devices.latency.interleaved import Opens, queries
from stopline.devices.latency.replay import Kept
from stopline.runtime.backends.backend import Backend, Outputs
from stopline.runtime.detector import Detector, DetectorSettings


class Slowed:
    """A backend that takes `share` more of a core's time, on the thread that runs it."""

    def __init__(self, backend: Backend, share: float) -> None:
        self.name, self.frames = backend.name, backend.frames
        self._backend, self._share = backend, share

    def run(self, count: int) -> Outputs:
        """As the other, and then some."""
        began_ns = time.thread_time_ns()
        found = self._backend.run(count)
        now_ns = time.thread_time_ns()
        until_ns = now_ns + round((now_ns - began_ns) * self._share)
        while time.thread_time_ns() < until_ns:
            pass
        return found

    def close(self) -> None:
        """Give back the memory of the graph."""
        self._backend.close()


def opened(slowed: float) -> Detector:
    """In FP32 on ONNX Runtime with one thread: what the thread does is all that is done."""
    settings = DetectorSettings("onnxruntime", "fp32", threads=1)
    detector = Detector("road-nano", settings=settings)
    if slowed:
        detector._backend = Slowed(detector._backend, slowed)
    return detector


def opens(slowed: float, kept: Kept) -> tuple[Opens, Opens]:
    """As it is, and slowed."""
    as_it_is, slower = (partial(queries, partial(opened, share), kept) for share in (0.0, slowed))
    return as_it_is, slower
