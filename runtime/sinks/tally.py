"""What a run came to, camera by camera, in memory that does not grow with it."""

import math
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Alert, Event, SinkTrouble, Step
from stopline.runtime.frame import CameraState, Result

KEPT_AGES = 10_000  # of the latest results, for percentiles
RATE_OVER_NS = 2_000_000_000


@dataclass(slots=True)
class CameraTally:
    """Of one camera. `seen` counts, for each class, the frames in which it was found."""

    state: CameraState = CameraState.CONNECTING
    frames: int = 0
    dropped: int = 0
    missed: int = 0  # of the dropped, those whose answer would have come after the deadline
    alerts: Counter[str] = field(default_factory=Counter)  # that began, by rule
    seen: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)  # objects in the latest frame, by class
    ages_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_AGES))
    recent_ns: deque[int] = field(default_factory=deque)  # publications within the last 2 s
    first_ns: int = 0
    last_ns: int = 0

    @property
    def fps(self) -> float | None:
        """Results a second, lately; None before there are two."""
        return rate(self.recent_ns)

    @property
    def mean_fps(self) -> float | None:
        """Results a second from the first to the last; None before there are two."""
        lasted_ns = self.last_ns - self.first_ns
        return (self.frames - 1) * 1e9 / lasted_ns if self.frames > 1 and lasted_ns else None


@dataclass(slots=True)
class Tally:
    """Counts results and events as they come."""

    clock: Clock = time.monotonic_ns
    deadline_s: float | None = None  # with one, misses are shown even where there are none
    cameras: dict[str, CameraTally] = field(default_factory=dict)
    step: Step | None = None  # the latest of the governor
    most_degraded: int = 0  # its highest level
    troubles: dict[str, SinkTrouble] = field(default_factory=dict)  # the latest of each sink
    name: str = "tally"
    wants_images: bool = False

    @property
    def frames(self) -> int:
        """Of all cameras."""
        return sum(camera.frames for camera in self.cameras.values())

    def write(self, result: Result) -> None:
        """Count one result."""
        camera = self._camera(result.camera)
        camera.state = result.state
        camera.dropped += result.dropped
        camera.missed += result.missed
        camera.now = Counter(found.name for found in result.detections)
        if result.frame is None or result.age_ms is None:
            return
        now_ns = self.clock()
        camera.first_ns = camera.first_ns if camera.frames else now_ns
        camera.last_ns = now_ns
        camera.frames += 1
        camera.seen.update(camera.now.keys())
        camera.ages_ms.append(result.age_ms)
        camera.recent_ns.append(now_ns)
        while camera.recent_ns[0] < now_ns - RATE_OVER_NS:
            camera.recent_ns.popleft()

    def tell(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Alert) and event.phase == "began":
            self._camera(event.camera).alerts[event.rule] += 1
        elif isinstance(event, Step):
            self.step = event
            self.most_degraded = max(self.most_degraded, event.level)
        elif isinstance(event, SinkTrouble):
            self.troubles[event.sink] = event

    def close(self) -> None:
        """Nothing is held."""

    def _camera(self, name: str) -> CameraTally:
        return self.cameras.setdefault(name, CameraTally())


def summary_lines(name: str, tally: Tally) -> Iterator[str]:
    """What a person wants to know of one camera when the run is over."""
    camera = tally.cameras.get(name, CameraTally())
    fps = "" if camera.mean_fps is None else f", {camera.mean_fps:.1f} a second"
    missed = f" ({camera.missed} past the deadline)" if missed_wanted(tally) else ""
    dropped = f"{camera.dropped} dropped{missed}"
    yield f"{name}: {camera.frames} frames{fps}, {dropped}, {camera.state.value}"
    seen = ", ".join(f"{kind} in {frames}" for kind, frames in camera.seen.most_common())
    yield f"  seen: {seen or 'nothing'}"
    if camera.alerts:
        yield f"  alerts: {', '.join(f'{rule} {n}' for rule, n in camera.alerts.most_common())}"
    ages = camera.ages_ms
    half, most = percentile(ages, 0.5), percentile(ages, 0.99)
    if half is not None and most is not None:
        yield f"  age: p50 {half:.1f} ms, p99 {most:.1f} ms (n={len(ages)})"


def present_lines(tally: Tally) -> Iterator[str]:
    """What the whole run suffers from now."""
    if tally.step is not None and tally.step.level:
        yield f"degraded to level {tally.step.level}: {tally.step.rung}"
    for name, trouble in tally.troubles.items():
        # Without a number: while it fails, `lost` is that of when it began.
        if trouble.error is not None:
            yield f"{name} fails: {trouble.error}"


def trouble_lines(tally: Tally) -> Iterator[str]:
    """What the whole run suffered from, when it is over."""
    if tally.step is not None:
        last = f"at the end level {tally.step.level} ({tally.step.rung})"
        yield f"degraded: up to level {tally.most_degraded}, {last}"
    for name, trouble in tally.troubles.items():
        state = ", works again" if trouble.error is None else f": {trouble.error}"
        yield f"{name}: {trouble.lost} results and events lost{state}"


def missed_wanted(tally: Tally) -> bool:
    """Whether somebody gave a deadline, or something missed one."""
    return tally.deadline_s is not None or any(each.missed for each in tally.cameras.values())


def rate(times_ns: Sequence[int]) -> float | None:
    """Events a second; None if fewer than two tell nothing."""
    if len(times_ns) < 2 or times_ns[-1] == times_ns[0]:
        return None
    return (len(times_ns) - 1) * 1e9 / (times_ns[-1] - times_ns[0])


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least that share of `values` does not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
