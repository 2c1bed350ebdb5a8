"""A model of the pipeline under a governor: cameras of a fixed rate, one detector, no chance.

The newest frame of the camera that waited longest is next, but none that comes sooner than the pace
allows; a frame older than the deadline is skipped, and an answer older than it is not given: both
are missed. Left out: decoding, batches, and that a busy machine is slower than an idle one. Times
are in seconds, on a clock of its own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from stopline.runtime.detections import Detections
from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.governor.ladder import Rung

PIXEL = np.zeros((1, 1, 3), np.uint8)
NOTHING = Detections.none(("person",))

Detecting = Callable[[int, float], float]  # which detector, and when → how long it takes


class Governs(Protocol):
    """What a run asks of its governor."""

    @property
    def rung(self) -> Rung:
        """What it may do now."""

    def __call__(self, result: Result) -> Step | None:
        """Learn of a result."""


@dataclass
class Fixed:
    """Stays where it is: what each rung gives on its own, and one way to be broken."""

    rung: Rung

    def __call__(self, result: Result) -> Step | None:
        """Whatever happens."""
        return None


@dataclass(slots=True)
class Simulated:
    """One camera; its frame k is grabbed at `phase_s + k / fps`."""

    name: str
    fps: float
    phase_s: float
    gone: int = -1  # the newest frame that was taken or dropped
    taken_s: float = -math.inf
    due_s: float = -math.inf  # a frame that comes sooner is dropped, unless nobody had time to

    def newest(self, now_s: float) -> int:
        """Index of the newest frame."""
        return math.floor((now_s - self.phase_s) * self.fps + 1e-9)

    def grabbed_s(self, index: int) -> float:
        """When."""
        return self.phase_s + index / self.fps

    def ready_s(self, now_s: float) -> float:
        """When a frame can be taken: now, or later."""
        if now_s >= self.due_s:
            return max(now_s, self.grabbed_s(self.gone + 1))
        self.gone = max(self.gone, self.newest(now_s))
        return self.grabbed_s(max(self.gone + 1, math.ceil((self.due_s - self.phase_s) * self.fps)))

    def take(self, now_s: float, most_fps: float | None) -> float:
        """The newest frame: when it was grabbed."""
        self.gone, self.taken_s = self.newest(now_s), now_s
        if most_fps is not None:
            next_s = self.due_s + 1 / most_fps
            self.due_s = next_s if next_s > now_s else now_s + 1 / most_fps
        return self.grabbed_s(self.gone)


@dataclass(slots=True)
class Run:
    """What happened: the steps, and how long it stood on each rung since `since_s`."""

    steps: list[Step] = field(default_factory=list)
    stood_s: dict[str, float] = field(default_factory=dict)
    late: int = 0
    answers: int = 0


class Queueing:
    """`Queueing(cameras, detecting, deadline_s)`; its `clock` is what the governor is given."""

    def __init__(self, cameras: list[Simulated], detecting: Detecting, deadline_s: float) -> None:
        self._cameras = cameras
        self._detecting = detecting
        self._deadline_s = deadline_s
        self._now_s = 0.0

    def clock(self) -> int:
        """Nanoseconds."""
        return round(self._now_s * 1e9)

    def run(self, governor: Governs, until_s: float, since_s: float = 0.0) -> Run:
        """Until then, and what was seen of it since."""
        run = Run()
        while self._now_s < until_s:
            rung, before_s = governor.rung, self._now_s
            result = self._next_result(rung)
            if before_s >= since_s:
                stood_s = self._now_s - before_s
                run.stood_s[rung.name] = run.stood_s.get(rung.name, 0.0) + stood_s
                run.late += result.missed
                run.answers += 1
            step = governor(result)
            if step is not None and before_s >= since_s:
                run.steps.append(step)
        return run

    def _next_result(self, rung: Rung) -> Result:
        looked_at = self._cameras[: rung.cameras]
        ready = {camera.name: camera.ready_s(self._now_s) for camera in looked_at}
        self._now_s = max(self._now_s, min(ready.values()))
        camera = min(
            (camera for camera in looked_at if ready[camera.name] <= self._now_s),
            key=lambda camera: camera.taken_s,
        )
        captured_s = camera.take(self._now_s, rung.most_fps)
        if self._now_s - captured_s <= self._deadline_s:
            self._now_s += self._detecting(rung.detector, self._now_s)
        return self._result(camera, captured_s)

    def _result(self, camera: Simulated, captured_s: float) -> Result:
        age_s = self._now_s - captured_s
        if age_s > self._deadline_s:
            stale = CameraState.STALE
            return Result(camera.name, stale, None, NOTHING, dropped=1, missed=1)
        frame = Frame(camera.name, camera.gone, round(captured_s * 1e9), PIXEL)
        return Result(camera.name, CameraState.LIVE, frame, NOTHING, round(age_s * 1e9))
