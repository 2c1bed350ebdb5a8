"""How many answers came in time."""

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from stopline.runtime.frame import Result


class Answers(NamedTuple):
    """What one result says of it."""

    at_ns: int
    age_ns: float  # infinite for what is missed
    late: int
    brought_late: int  # those of the late ones that took their camera half the deadline already
    judged: int  # in time or late

    @classmethod
    def of(cls, result: Result, deadline_ns: int, now_ns: int) -> "Answers | None":
        """None of a result that answers nothing: of a camera that is silent, say."""
        shown = result.frame is not None
        judged = result.missed + shown
        if judged == 0:
            return None
        age_ns = math.inf if result.age_ns is None else result.age_ns
        late = result.missed + (shown and age_ns > deadline_ns)
        brought_late = late if result.stages_ns.get("decode", 0) > deadline_ns / 2 else 0
        return cls(now_ns, age_ns, late, brought_late, judged)


@dataclass(slots=True)
class Tally:
    """Since a moment."""

    since_ns: int
    late: int = 0
    brought_late: int = 0
    judged: int = 0

    def add(self, answers: Answers, sign: int = 1) -> None:
        """Count them; with a sign of -1 take them away."""
        self.late += sign * answers.late
        self.brought_late += sign * answers.brought_late
        self.judged += sign * answers.judged

    @property
    def share(self) -> float:
        """Of late ones, 0..1; 0 where nothing was to be answered."""
        return self.late / self.judged if self.judged else 0.0


class Window:
    """The last `seconds`, or the last `least` answers where they took longer."""

    def __init__(self, since_ns: int, seconds: float, least: int) -> None:
        self._span_ns = round(seconds * 1e9)
        self._least = least
        self._tally = Tally(since_ns)
        self._answers: deque[Answers] = deque()

    def add(self, answers: Answers) -> None:
        """Count them, and forget the oldest."""
        self._answers.append(answers)
        self._tally.add(answers)
        while (
            answers.at_ns - self._answers[0].at_ns > self._span_ns
            and self._tally.judged - self._answers[0].judged >= self._least
        ):
            oldest = self._answers.popleft()
            self._tally.add(oldest, -1)
            self._tally.since_ns = oldest.at_ns

    def long_enough(self, now_ns: int) -> bool:
        """Whether that time has gone by."""
        return now_ns - self._tally.since_ns >= self._span_ns

    @property
    def tally(self) -> Tally:
        """Of all that is in it."""
        return self._tally

    @property
    def age_ns(self) -> float:
        """The 90th percentile; infinite if so many were not answered at all."""
        ages = sorted(answers.age_ns for answers in self._answers)
        return ages[math.ceil(0.9 * len(ages)) - 1] if ages else math.inf
