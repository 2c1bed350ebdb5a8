"""Results for a governor, one after the other, on a clock of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState, Frame, Result
from tests.runtime.governor.queueing import NOTHING, PIXEL, Governs

SECOND = 1_000_000_000


@dataclass(slots=True)
class Clock:
    """Says what it is set to."""

    now_ns: int = 0

    def __call__(self) -> int:
        """Nanoseconds."""
        return self.now_ns


@dataclass(frozen=True, slots=True)
class Answer:
    """At a time, of an age, or missed where that is None; `decode_ms` of it is the camera's."""

    at_ms: float
    age_ms: float | None
    camera: str = "front"
    decode_ms: float = 0.0

    @property
    def result(self) -> Result:
        """As a pipeline would give it."""
        stages_ns = {"decode": round(self.decode_ms * 1e6)}
        if self.age_ms is None:
            stale = CameraState.STALE
            return Result(
                self.camera, stale, None, NOTHING, dropped=1, missed=1, stages_ns=stages_ns
            )
        age_ns = round(self.age_ms * 1e6)
        frame = Frame(self.camera, 0, round(self.at_ms * 1e6) - age_ns, PIXEL)
        return Result(self.camera, CameraState.LIVE, frame, NOTHING, age_ns, stages_ns=stages_ns)


@dataclass(slots=True)
class Given:
    """What came of it: the steps, and when."""

    steps: list[Step] = field(default_factory=list)

    @property
    def levels(self) -> list[int]:
        """Of each step."""
        return [step.level for step in self.steps]

    @property
    def at_s(self) -> list[float]:
        """When each was taken."""
        return [round(step.at_ns / SECOND, 2) for step in self.steps]


def give(governor: Governs, clock: Clock, answers: Iterable[Answer]) -> Given:
    """All of them, in their time."""
    given = Given()
    for answer in answers:
        clock.now_ns = round(answer.at_ms * 1e6)
        if (step := governor(answer.result)) is not None:
            given.steps.append(step)
    return given


def steady(
    age_ms: float | None, until_s: float, since_s: float = 0.0, decode_ms: float = 0.0
) -> list[Answer]:
    """Twenty a second, all of the same age."""
    count = round((until_s - since_s) * 20)
    return [Answer(since_s * 1e3 + 50 * nth, age_ms, decode_ms=decode_ms) for nth in range(count)]
