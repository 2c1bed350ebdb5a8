"""What the page may show: of each camera the newest result, and a minute of numbers."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Event, Step
from stopline.runtime.frame import CameraState, Result

HISTORY_NS = 60_000_000_000
MOST_POINTS = 3600  # of each camera: a minute at 60 frames a second
MOST_EVENTS = 200
OF_STAGES = 100  # the latest answers, for the medians of their stages


@dataclass(frozen=True, slots=True)
class Point:
    """One answer in the plots."""

    at_ns: int  # when it came here
    age_ns: int
    stages_ns: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Seen:
    """Of one camera. `newest` is None while it is not LIVE: there is nothing to show then."""

    name: str
    state: CameraState = CameraState.CONNECTING
    since_ns: int = 0  # of the state
    newest: Result | None = None
    number: int = 0  # of the newest: counts the frames
    dropped: int = 0
    missed: int = 0
    points: deque[Point] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))

    def add(self, result: Result, now_ns: int) -> None:
        """A few microseconds: this is in the way of the next result."""
        if result.state is not self.state:
            self.state, self.since_ns = result.state, now_ns
        self.dropped += result.dropped
        self.missed += result.missed
        if result.frame is None or result.age_ns is None:
            self.newest = None
            return
        self.newest = result
        self.number += 1
        self.points.append(Point(now_ns, result.age_ns, tuple(result.stages_ns.items())))
        while self.points[0].at_ns < now_ns - HISTORY_NS:
            self.points.popleft()


class Scene:
    """Written by the run's thread, read by the page's. `on_news` is called for each change."""

    def __init__(self, cameras: Sequence[str] = (), clock: Clock = time.monotonic_ns) -> None:
        now_ns = clock()
        self.lock = threading.Lock()  # held to look at what follows
        self.cameras = {name: Seen(name, since_ns=now_ns) for name in cameras}
        self.events: deque[tuple[int, Event]] = deque(maxlen=MOST_EVENTS)  # when told, and what
        self.step: Step | None = None
        self.names: tuple[str, ...] = ()  # of the detector's classes
        self.on_news: Callable[[], None] = _nobody_waits
        self._clock = clock

    def write(self, result: Result) -> None:
        """Take note of it."""
        with self.lock:
            now_ns = (
                self._clock()
            )  # within: whoever has looked at an earlier time has missed nothing
            seen = self.cameras.get(result.camera)
            if seen is None:
                seen = self.cameras[result.camera] = Seen(result.camera, since_ns=now_ns)
            seen.add(result, now_ns)
            self.names = result.detections.names
        self.on_news()

    def tell(self, event: Event) -> None:
        """Take note of it."""
        with self.lock:
            self.events.append((self._clock(), event))
            if isinstance(event, Step):
                self.step = event
        self.on_news()


def stage_medians_ms(points: Sequence[Point]) -> dict[str, float]:
    """Of each stage, in the order of the newest answer; empty of none."""
    if not points:
        return {}
    took: dict[str, list[int]] = {name: [] for name, _ in points[-1].stages_ns}
    for point in points:
        for name, ns in point.stages_ns:
            if name in took:
                took[name].append(ns)
    return {name: sorted(values)[len(values) // 2] / 1e6 for name, values in took.items()}


def _nobody_waits() -> None:
    pass
