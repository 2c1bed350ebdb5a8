"""The parts of a profile: each is one load, measured in its windows."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from stopline.devices.latency.closed_loop import Answer, Run, query_of, repeated, throughput
from stopline.devices.latency.figures import Figures, figures
from stopline.devices.latency.open_loop import Deadline, Offer, serve
from stopline.devices.latency.replay import Kept
from stopline.devices.latency.report import (
    CameraRate,
    Measured,
    MultiStream,
    SingleStream,
    Subject,
    Throughput,
    Window,
)
from stopline.devices.latency.watch import Watch
from stopline.devices.latency.windows import Time, measured, windows
from stopline.runtime.backends.backend import usable_cpus
from stopline.runtime.cameras.camera import SourceName
from stopline.runtime.detector import Detector
from stopline.runtime.sinks.json_lines import JsonLines

FEWEST = 30  # images, however short the time
SCENARIOS = ("single-stream", "multi-stream", "camera")


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """`fps` None is what the source says of itself; a deadline that is None is one period of it."""

    seconds: float = 10.0  # of each part
    scenarios: Sequence[str] = SCENARIOS
    streams: int = 8  # MLPerf's
    fps: float | None = None
    deadline_ms: float | None = None
    cold_starts: int = 5
    layers: bool = True
    root: Path = Path("/")


@dataclass(frozen=True, slots=True)
class Sources:
    """`kept` images of `name`; with `as_it_is` the source itself is read where it can be."""

    name: SourceName
    kept: Kept
    as_it_is: bool
    playable: bool  # a file, to be read as fast as it goes


def subject_of(detector: Detector, threads: int | None, kept: Kept) -> Subject:
    """What is measured."""
    bundle, precision = detector.bundle, detector.precision
    manifest = bundle.manifest
    file = manifest.variants[precision].file
    frame_h, frame_w = kept.images[0].shape[:2]
    return Subject(
        bundle=manifest.name,
        precision=precision,
        backend=detector.backend,
        threads=threads or usable_cpus(),
        model_sha256=manifest.files[file].sha256,
        input_wh=(manifest.input.width, manifest.input.height),
        batch=detector.batch,
        source=kept.name,
        frame_wh=(frame_w, frame_h),
    )


@dataclass(slots=True)
class Profile:
    """What has been measured so far."""

    detector: Detector
    subject: Subject
    sources: Sources
    settings: ProfileSettings
    watch: Watch
    zero_ns: int
    windows: list[Window] = field(default_factory=list)
    load_ns: tuple[int, int] | None = None  # of the part whose energy is told
    frames: int = 0  # in it

    def closed_loop(self, streams: int) -> tuple[list[Run], int]:
        """Runs of `streams` images each, and when the first began."""
        began_ns = time.monotonic_ns()
        query = query_of(self.detector, self.sources.kept.images, streams)
        fewest = max(5, FEWEST // streams)
        return repeated(query, self.settings.seconds, fewest), began_ns

    def engine(self) -> tuple[Measured, SingleStream]:
        """The model alone, and what one image costs with all that is around it."""
        runs, began_ns = self.closed_loop(1)
        self.load_ns, self.frames = (began_ns, runs[-1].ended_ns), len(runs)
        times = [Time(run.ended_ns, run.engine_ms, run.own_ms, run.waited_ms) for run in runs]
        whole = [Time(run.ended_ns, run.ms) for run in runs]
        seen = self._seen("engine", times)
        of = measured(whole, seen, self.zero_ns)
        return measured(times, seen, self.zero_ns), SingleStream(**_fields(of))

    def multi_stream(self) -> MultiStream:
        """Queries of several images."""
        runs, _ = self.closed_loop(self.settings.streams)
        times = [Time(run.ended_ns, run.ms, None, run.waited_ms) for run in runs]
        of = measured(times, self._seen("multi_stream", times), self.zero_ns)
        return MultiStream(streams=self.settings.streams, **_fields(of))

    def pipeline(self) -> Throughput:
        """How many frames a second come out, if every one waits ready."""
        sources = self.sources
        decodes = sources.playable
        with JsonLines(os.devnull) as sink:
            source = sources.name if decodes else sources.kept
            answers = throughput(self.detector, source, [sink], self.settings.seconds)
        times = _intervals(answers)
        of = measured(times, self._seen("pipeline", times), self.zero_ns)
        fps = None if of.mean_ms is None else 1000 / of.mean_ms
        return Throughput(fps=fps, decodes=decodes, **_fields(of))

    def camera(self) -> tuple[Measured, CameraRate, list[Answer]]:
        """A camera at its own rate, which does not wait."""
        offer, deadline = self._offer()
        with JsonLines(os.devnull) as sink:
            served = serve(self.detector, offer, deadline, [sink])
        times = [Time(one.at_ns, one.result.age_ms) for one in served.answers if one.result.age_ms]
        of = measured(times, self._seen("camera", times), self.zero_ns)
        ages = [one.ms for one in times]
        answered_fps = (len(ages) - 1) / served.seconds if served.seconds else None
        replayed = isinstance(offer.source, Kept)
        rate = CameraRate(
            offered_fps=offer.fps if replayed else self.sources.kept.fps,
            answered_fps=answered_fps,
            sent=served.sent,
            answered=len(served.answers),
            dropped=served.dropped,
            late=served.late,
            deadline_ms=deadline.ms,
            enforced=deadline.enforced,
            miss_ratio=served.miss_ratio(deadline.ms),
            most_age_ms=max(ages, default=None),
            age_growth_ms=_growth(ages),
            replayed=replayed,
        )
        return of, rate, served.answers

    def _offer(self) -> tuple[Offer, Deadline]:
        settings, kept = self.settings, self.sources.kept
        fps = settings.fps or kept.fps or 30.0
        ms = settings.deadline_ms
        deadline = Deadline(1000 / fps if ms is None else ms, ms is not None)
        own = self.sources.as_it_is and settings.fps is None
        source = self.sources.name if own else kept
        return Offer(source, fps, settings.seconds), deadline

    def _seen(self, part: str, times: Sequence[Time]) -> list[Window]:
        seen = windows(part, times, self.watch, self.zero_ns)
        self.windows += seen
        return seen


def stages_of(answers: Sequence[Answer]) -> dict[str, Figures]:
    """By name, in the order in which a frame goes through them; what is done with it last."""
    stages: dict[str, list[float]] = {}
    for one in answers:
        for name, took_ns in {**one.result.stages_ns, "sinks": one.sinks_ns}.items():
            stages.setdefault(name, []).append(took_ns / 1e6)
    return {name: figures(times) for name, times in stages.items()}


def _intervals(answers: Sequence[Answer]) -> list[Time]:
    """From one result to the next, what is done with it included."""
    at = [one.at_ns + one.sinks_ns for one in answers]
    return [Time(b, (b - a) / 1e6) for a, b in pairwise(at)]


def _growth(ages_ms: Sequence[float]) -> float | None:
    """Of a queue that fills the age grows without end; None of too few."""
    quarter = len(ages_ms) // 4
    if quarter < 5:
        return None
    third, last = ages_ms[-2 * quarter : -quarter], ages_ms[-quarter:]
    return sorted(last)[quarter // 2] - sorted(third)[quarter // 2]


def _fields(of: Measured) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__struct_fields__}
