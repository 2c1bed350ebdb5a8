"""In a closed loop the governor finds the highest rung that meets the deadline, and stays on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as some

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Step
from stopline.runtime.frame import Result
from stopline.runtime.governor.governor import Governor, GovernorSettings
from stopline.runtime.governor.ladder import Rung, ladder_for
from tests.runtime.governor.queueing import Fixed, Governs, Queueing, Run, Simulated

Make = Callable[[Sequence[Rung], GovernorSettings, Clock], Governs]


def ours(ladder: Sequence[Rung], settings: GovernorSettings, clock: Clock) -> Governs:
    return Governor(ladder, settings, None, clock)


@dataclass
class Restless:
    """Broken the other way: steps at every result, down when it was late and else up."""

    ladder: Sequence[Rung]
    clock: Clock
    level: int = 0

    @property
    def rung(self) -> Rung:
        """Where it stands."""
        return self.ladder[self.level]

    def __call__(self, result: Result) -> Step | None:
        """By one result alone."""
        level = self.level + (1 if result.missed else -1)
        level = min(max(level, 0), len(self.ladder) - 1)
        if level == self.level:
            return None
        self.level = level
        return Step(at_ns=self.clock(), utc="", level=level, rung=self.rung.name, why="")


@dataclass(frozen=True)
class Load:
    """Cameras of 30 frames a second, and how long either detector takes."""

    cameras: int
    asked_s: float
    fallback_s: float
    deadline_s: float = 0.1

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The one it is given by default."""
        return ladder_for(self.deadline_s, self.cameras, fallback=True, camera_fps=30)

    def queueing(self) -> Queueing:
        """A new run of it."""
        phase_s = 0.83 / 30 / self.cameras
        cameras = [Simulated(f"camera {nth}", 30, nth * phase_s) for nth in range(self.cameras)]
        took_s = (self.asked_s, self.fallback_s)
        return Queueing(cameras, lambda detector, _: took_s[detector], self.deadline_s)

    def quick_settings(self) -> GovernorSettings:
        """Shorter times in the same proportions, so that many runs can be tried."""
        return GovernorSettings(
            self.deadline_s, window_s=1.0, settle_s=0.2, first_wait_s=2.0, most_wait_s=60.0
        )

    def meets(self, rung: Rung) -> bool | None:
        """Whether that rung alone meets the deadline; None if it is too close to call."""
        run = self.queueing().run(Fixed(rung), 14, since_s=2)
        share = run.late / run.answers
        return None if 0 < share < 0.15 else share == 0

    def highest(self) -> int | None:
        """The first rung that meets the deadline, or the last one; None if it cannot be told."""
        for level, rung in enumerate(self.ladder):
            if (meets := self.meets(rung)) is not False:
                return level if meets else None
        return len(self.ladder) - 1

    def governed(self, make: Make, until_s: float = 150, since_s: float = 75) -> Run:
        """What a governor makes of it, seen when it has had time to settle."""
        queueing = self.queueing()
        governor = make(self.ladder, self.quick_settings(), queueing.clock)
        return queueing.run(governor, until_s, since_s)


def settles_on_the_highest_rung_that_meets_the_deadline(load: Load, make: Make) -> None:
    """Tries of a higher one, which cost little, aside."""
    highest = load.highest()
    if highest is None:
        reject()
    run = load.governed(make)
    stood_s = sum(run.stood_s.values())
    name = load.ladder[highest].name
    assert run.stood_s.get(name, 0) >= 0.9 * stood_s, f"{name} is right; stood {run.stood_s}"
    assert len(run.steps) <= 2 * (len(load.ladder) - 1) + 4


@settings(derandomize=True, max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cameras=some.integers(1, 5),
    asked_s=some.floats(0.005, 0.2),
    times_faster=some.floats(1.5, 8),
    deadline_s=some.floats(0.05, 0.3),
)
def test_it_settles_on_the_highest_rung_that_meets_the_deadline(
    cameras: int, asked_s: float, times_faster: float, deadline_s: float
) -> None:
    load = Load(cameras, asked_s, asked_s / times_faster, deadline_s)
    settles_on_the_highest_rung_that_meets_the_deadline(load, ours)


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (Load(4, 0.06, 0.02), "all that was asked for"),  # it drops frames, but none is too old
        (Load(1, 0.08, 0.03), "at most 10 fps"),
        (Load(4, 0.09, 0.03), "at most 10 fps, fallback detector"),
        (Load(2, 0.35, 0.085), "at most 10 fps, fallback detector, 1 of 2 cameras"),
    ],
)
def test_each_kind_of_rung_is_settled_on_where_it_is_needed(load: Load, name: str) -> None:
    run = load.governed(ours)
    assert max(run.stood_s, key=lambda rung: run.stood_s[rung]) == name


@pytest.mark.parametrize(
    "broken",
    [
        lambda ladder, settings, clock: Fixed(ladder[0]),
        lambda ladder, settings, clock: Fixed(ladder[-1]),
        lambda ladder, settings, clock: Restless(ladder, clock),
    ],
    ids=["never steps", "gives everything up", "steps at every result"],
)
def test_a_broken_governor_does_not_settle_there(broken: Make) -> None:
    load = Load(4, 0.09, 0.03)
    settles_on_the_highest_rung_that_meets_the_deadline(load, ours)
    with pytest.raises(AssertionError):
        settles_on_the_highest_rung_that_meets_the_deadline(load, broken)


@dataclass(frozen=True)
class Flapping:
    """Twenty seconds too much, twenty seconds of ease, for an hour."""

    deadline_s: float = 0.1

    def governed(self, make: Make) -> Run:
        """By the settings that are the default."""
        cameras = [Simulated("front", 30, 0.0)]
        queueing = Queueing(
            cameras, lambda _, at_s: 0.2 if at_s % 40 < 20 else 0.02, self.deadline_s
        )
        ladder = ladder_for(self.deadline_s, 1, fallback=False, camera_fps=30)
        governor = make(ladder, GovernorSettings(self.deadline_s), queueing.clock)
        return queueing.run(governor, 3600)


MOST_STEPS = 3 * 30  # in an hour, of three rungs: 180 ups and downs of the load, up to 720 steps


def test_a_load_that_flaps_gives_few_steps() -> None:
    assert 4 <= len(Flapping().governed(ours).steps) <= MOST_STEPS


def test_without_longer_waits_it_would_flap_with_the_load() -> None:
    def impatient(ladder: Sequence[Rung], settings: GovernorSettings, clock: Clock) -> Governs:
        wait_s = settings.first_wait_s
        return Governor(ladder, GovernorSettings(0.1, most_wait_s=wait_s), None, clock)

    assert len(Flapping().governed(impatient).steps) > MOST_STEPS
