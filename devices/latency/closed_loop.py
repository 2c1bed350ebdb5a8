"""Closed-loop load: the next image is there as soon as the last one is answered.

It shows what the model and the machine can do, and nothing of queues: nobody waits in one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from stopline.devices.latency.replay import InTurn, Kept
from stopline.devices.latency.waiting import Waiting
from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import Clock, SourceName
from stopline.runtime.detector import Detector
from stopline.runtime.frame import Result
from stopline.runtime.pipeline import Detects, Pipeline
from stopline.runtime.sinks.sink import Sink

LEAST_MS = 0.001  # a time has a logarithm


class Run(NamedTuple):
    """One query. `waited_ms` for a core; None where the kernel does not tell."""

    ended_ns: int
    ms: float  # letterbox to boxes
    engine_ms: float
    waited_ms: float | None

    @property
    def own_ms(self) -> float:
        """Of the engine, without the time that other programs had the core.

        That is told of the whole query. Of the rare wait outside of the engine too much is taken,
        which medians do not see.
        """
        return max(self.engine_ms - (self.waited_ms or 0.0), LEAST_MS)


Query = Callable[[], Run]


def query_of(detector: Detector, images: Sequence[Image], streams: int = 1) -> Query:
    """Each call detects in the next `streams` images, in batches as large as the graph takes."""
    waiting = Waiting()
    turn = 0

    def query() -> Run:
        nonlocal turn
        asked = [images[(turn + nth) % len(images)] for nth in range(streams)]
        turn += streams
        waited_ns, started_ns, engine_ns = waiting(), time.monotonic_ns(), 0
        for at in range(0, streams, detector.batch):
            found = detector.detect(asked[at : at + detector.batch])
            engine_ns += found.stages_ns["engine"]
        ended_ns, after_ns = time.monotonic_ns(), waiting()
        waited = None if waited_ns is None or after_ns is None else (after_ns - waited_ns) / 1e6
        return Run(ended_ns, (ended_ns - started_ns) / 1e6, engine_ns / 1e6, waited)

    return query


def repeated(
    query: Query, seconds: float, fewest: int, clock: Clock = time.monotonic_ns
) -> list[Run]:
    """For that long, and at least so many times."""
    until_ns = clock() + round(seconds * 1e9)
    runs: list[Run] = []
    while clock() < until_ns or len(runs) < fewest:
        runs.append(query())
    return runs


class Answer(NamedTuple):
    """One result of a pipeline, when it was there, and how long the sinks took with it."""

    result: Result
    at_ns: int
    sinks_ns: int


def answers_of(
    pipeline: Pipeline, sinks: Sequence[Sink], seconds: float, clock: Clock = time.monotonic_ns
) -> Iterator[Answer]:
    """Until the time or the source is over. Images are let go, that memory may stay flat."""
    until_ns = clock() + round(seconds * 1e9)
    with closing(pipeline):
        for result in pipeline:
            at_ns = clock()
            for sink in sinks:
                sink.write(result)
            yield Answer(result.without_image(), at_ns, clock() - at_ns)
            if clock() > until_ns:
                pipeline.stop()


def throughput(
    detector: Detects, source: Kept | SourceName, sinks: Sequence[Sink], seconds: float
) -> list[Answer]:
    """Every frame of the source as fast as the pipeline takes them."""
    most = 1_000_000
    camera = InTurn(source, most) if isinstance(source, Kept) else source
    pipeline = Pipeline(detector, camera)
    return [one for one in answers_of(pipeline, sinks, seconds) if one.result.frame is not None]
