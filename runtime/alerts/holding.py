"""One object and one rule: when an alert of it begins and ends, by time and not by frames."""

from dataclasses import dataclass
from enum import Enum

from stopline.runtime.alerts.rules import Rule

SECOND_NS = 1_000_000_000


class Turn(Enum):
    """What a frame changed."""

    BEGAN = 1
    ENDED = 2
    FORGOTTEN = 3  # it had not begun, and did not hold for long


@dataclass(slots=True)
class Holding:
    """A rule that holds, or lately held, for an object."""

    since_ns: int
    last_ns: int  # when it held last
    broke_ns: int | None = None  # the first frame since then that shows that it does not hold
    id: str | None = None  # of the alert, once there is one

    @property
    def held_s(self) -> float:
        """From the first moment to the last, short interruptions included."""
        return (self.last_ns - self.since_ns) / SECOND_NS

    def see(self, holds: bool, rule: Rule, now_ns: int) -> Turn | None:
        """Take what one frame shows. That it ends must itself be seen for `gone_s`."""
        if holds:
            self.last_ns, self.broke_ns = now_ns, None
            long = now_ns - self.since_ns >= rule.held_s * SECOND_NS
            return Turn.BEGAN if self.id is None and long else None
        if self.broke_ns is None:
            self.broke_ns = now_ns
        if now_ns - self.broke_ns < self._patience_s(rule) * SECOND_NS:
            return None
        return Turn.FORGOTTEN if self.id is None else Turn.ENDED

    def _patience_s(self, rule: Rule) -> float:
        """Before it begins, an interruption as long as what is asked for starts it over."""
        return rule.gone_s if self.id is not None else min(rule.gone_s, rule.held_s)
