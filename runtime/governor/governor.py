"""Which rung of the ladder a run can afford: decided by what it has just done."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Step, utc_at
from stopline.runtime.frame import Result
from stopline.runtime.governor.ladder import Rung
from stopline.runtime.governor.punctuality import Answers, Tally, Window

Throttling = Callable[[], str | None]  # why the board slows itself down; None if it does not


@dataclass(frozen=True, slots=True)
class GovernorSettings:
    """When to go down, and when up again. Shares 0..1, of answers that were later than that."""

    deadline_s: float
    window_s: float = 2.0  # what is looked back on
    least: int = 10  # or so many answers where they took longer
    settle_s: float = 0.3  # after a step: what was under way then proves nothing
    most_late: float = 0.05  # with more, down
    least_late: int = 3  # but not for fewer
    few_late: float = 0.01  # with no more for long enough, up
    first_wait_s: float = 10.0  # how long that is; twice as long after each ascent that failed
    most_wait_s: float = 300.0  # but no longer; an ascent that lasts that long did not fail
    hot: int = 2  # throttled in so many of the last five readings, one a second: down
    cool_s: float = 15.0  # and so long after that, if it still is, again

    def __post_init__(self) -> None:
        times_s = (self.deadline_s, self.window_s, self.first_wait_s, self.most_wait_s)
        if min(times_s) <= 0 or not 0 <= self.few_late <= self.most_late < 1:
            raise ValueError(f"{self}: wanted times above 0 and 0 <= few_late <= most_late < 1")


class Governor:
    """`governor(result)` for every result of a live run: the Step it takes, or None.

    It goes down by one rung when answers are late or the board throttles, and up by one when
    neither has been so for long enough. Heat alone takes no camera away, and neither do frames
    that were late already when their camera brought them: it would decode on, only unseen.
    """

    _window: Window  # since the last step: what speaks for going down
    _proof: Tally  # and for going up, since that was last refused

    def __init__(
        self,
        ladder: Sequence[Rung],
        settings: GovernorSettings,
        heat: Throttling | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        if not ladder:
            raise ValueError("a ladder without a rung: the first is all that was asked for")
        self.ladder = tuple(ladder)
        self.level = 0
        self._settings = settings
        self._heat = heat
        self._clock = clock
        self._waits_s = [settings.first_wait_s] * len(ladder)  # before going up to each rung
        self._climbed_ns: list[int | None] = [None] * len(ladder)  # when that was done last
        self._feel_again_ns = self._cooled_ns = clock()
        # Several, as a board that slows itself down hovers about its limit.
        self._readings: deque[str | None] = deque(maxlen=5)
        self._restart(clock())

    @property
    def rung(self) -> Rung:
        """What the run may do now."""
        return self.ladder[self.level]

    def __call__(self, result: Result) -> Step | None:
        """Learn of a result."""
        now_ns = self._clock()
        self._feel(now_ns)
        if now_ns < self._settled_ns:
            return None
        answers = Answers.of(result, _ns(self._settings.deadline_s), now_ns)
        if answers is not None:
            self._window.add(answers)
            self._proof.add(answers)
        if self.level + 1 < len(self.ladder):
            if self._too_late(now_ns):
                return self._down(f"too slow: {self._window_told(now_ns)}", now_ns)
            if self._too_hot(now_ns):
                self._cooled_ns = now_ns + _ns(self._settings.cool_s)
                return self._down(f"the board throttles: {self._reasons[0]}", now_ns)
        if (why := self._why_up(now_ns)) is not None:
            return self._up(why, now_ns)
        return None

    def _feel(self, now_ns: int) -> None:
        """Ask for the heat, but no more than once a second: some sensors are slow to read."""
        if self._heat is None or now_ns < self._feel_again_ns:
            return
        self._feel_again_ns = now_ns + _ns(1)
        self._readings.append(self._heat())

    @property
    def _reasons(self) -> list[str]:
        """Of those readings that had one, the last first."""
        return [reason for reason in reversed(self._readings) if reason is not None]

    @property
    def _next_rests_a_camera(self) -> bool:
        return self.ladder[self.level + 1].cameras != self.rung.cameras

    def _too_late(self, now_ns: int) -> bool:
        tally = self._window.tally
        late = tally.late - (tally.brought_late if self._next_rests_a_camera else 0)
        enough = late >= self._settings.least_late and self._window.long_enough(now_ns)
        return enough and late > self._settings.most_late * tally.judged

    def _too_hot(self, now_ns: int) -> bool:
        hot = len(self._reasons) >= self._settings.hot
        return hot and now_ns >= self._cooled_ns and not self._next_rests_a_camera

    def _why_up(self, now_ns: int) -> str | None:
        settings, proof = self._settings, self._proof
        if self.level == 0:
            return None
        if self._reasons:
            self._proof = Tally(now_ns)
            return None
        proven_s = (now_ns - proof.since_ns) / 1e9
        if proven_s < self._waits_s[self.level - 1] or proof.judged < settings.least:
            return None
        if proof.share > settings.few_late:
            self._proof = Tally(now_ns)
            return None
        return f"fast enough: {self._told(proof, now_ns, settings.few_late)}"

    def _down(self, why: str, now_ns: int) -> Step:
        self._learn(now_ns)
        self.level += 1
        return self._step(why, now_ns)

    def _learn(self, now_ns: int) -> None:
        """How long to wait before coming here again."""
        climbed_ns, settings = self._climbed_ns[self.level], self._settings
        failed = climbed_ns is not None and now_ns - climbed_ns < _ns(settings.most_wait_s)
        longer_s = min(2 * self._waits_s[self.level], settings.most_wait_s)
        self._waits_s[self.level] = longer_s if failed else settings.first_wait_s

    def _up(self, why: str, now_ns: int) -> Step:
        self.level -= 1
        self._climbed_ns[self.level] = now_ns
        return self._step(why, now_ns)

    def _step(self, why: str, now_ns: int) -> Step:
        self._restart(now_ns)
        return Step(
            at_ns=now_ns, utc=utc_at(now_ns, now_ns), level=self.level, rung=self.rung.name, why=why
        )

    def _restart(self, now_ns: int) -> None:
        settings = self._settings
        self._settled_ns = now_ns + _ns(settings.settle_s)
        self._window = Window(self._settled_ns, settings.window_s, settings.least)
        self._proof = Tally(self._settled_ns)

    def _window_told(self, now_ns: int) -> str:
        told = self._told(self._window.tally, now_ns, self._settings.most_late)
        age_ms = self._window.age_ns / 1e6
        return told if math.isinf(age_ms) else f"{told}; 90 % were at most {age_ms:.0f} ms old"

    def _told(self, tally: Tally, now_ns: int, at_most: float) -> str:
        return (
            f"{tally.late} of {tally.judged} answers in {(now_ns - tally.since_ns) / 1e9:.1f} s "
            f"were later than {self._settings.deadline_s * 1e3:.0f} ms "
            f"({tally.share:.1%}, at most {at_most:.0%} wanted)"
        )


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
