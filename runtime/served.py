"""One camera of a pipeline: what was taken of it, what was told, and what became of the rest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.cameras.camera_state import state_after
from stopline.runtime.cameras.feed import Feed
from stopline.runtime.cameras.newest import Taken
from stopline.runtime.cameras.pace import Pace
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.tracking.published import published
from stopline.runtime.tracking.tracker import Tracker


@dataclass(slots=True)
class Drops:
    """Frames of one camera that gave no answer, by what became of them."""

    replaced: int = 0  # by a newer one before it was looked at, or lost in the camera itself
    paced: int = 0  # it came sooner than the pace allows
    rested: int = 0  # nobody looks at the camera
    stale: int = 0  # the next one was overdue: nobody knew any more what the camera sees
    late: int = 0  # older than the deadline before it was looked at
    missed: int = 0  # older than the deadline when the answer was there

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum((self.replaced, self.paced, self.rested, self.stale, self.late, self.missed))


class CameraReport(NamedTuple):
    """How one camera fared.

    `error` is why it failed for good; `trouble` why its last connection ended, if another followed.
    """

    name: str
    live: bool
    fps: float | None
    state: CameraState
    error: Exception | None
    connections: int
    trouble: Exception | None
    answers: int  # results with a frame
    drops: Drops
    resting: bool  # nobody looks at it


@dataclass(slots=True)
class Served:
    """What has been published of one feed."""

    feed: Feed
    tracker: Tracker | None
    deadline_ns: float  # of the age of what a live camera shows
    state: CameraState = CameraState.CONNECTING
    last_turn: int = 0
    answers: int = 0
    drops: Drops = field(default_factory=Drops)
    pace: Pace = field(default_factory=Pace)
    resting: bool = False
    _counted: int = 0  # drops that were told
    _missed_ns: Mapping[str, int] | None = None  # stages of an answer that came too late, not told
    _seen_ns: int | None = None  # when the newest frame that was shown was captured

    def ready(self) -> bool:
        """Whether a frame waits that may be looked at; one that may not is dropped."""
        waiting_ns = self.feed.waiting_ns
        if waiting_ns is None:  # there is none, or it is a file's
            return not self.feed.live and self.feed.ready()
        if not self.resting and self.pace.allows(waiting_ns):
            return True
        if (taken := self.feed.take()) is not None:
            self.drops.rested += (1 + taken.dropped) * self.resting
            self.drops.paced += (1 + taken.dropped) * (not self.resting)
        return False

    def left_ns(self, now_ns: int) -> float:
        """How long the frame that waits may still take to its answer."""
        waiting_ns = self.feed.waiting_ns
        return math.inf if waiting_ns is None else waiting_ns + self.deadline_ns - now_ns

    def take(self, clock: Clock) -> Taken | None:
        """The frame that waits; None if there is none after all, or an answer would be too late."""
        if (taken := self.feed.take()) is None:
            return None
        now_ns = clock()  # only now: it may have been decoded first
        self.drops.replaced += taken.dropped
        self.pace.looked(taken.frame.captured_ns)
        if self._too_old(taken.frame, now_ns):
            self.drops.late += 1
            self._missed_ns = taken.stages_ns
        elif not self.feed.fresh(now_ns):
            self.drops.stale += 1
        else:
            return taken
        return None

    def answer(
        self, frame: Frame, found: Detections, stages_ns: dict[str, int], now_ns: int
    ) -> Result | None:
        """What is published of a frame; None if it no longer shows what the camera sees."""
        age_ns = now_ns - frame.captured_ns
        stages_ns["publish"] = age_ns - sum(stages_ns.values())  # so that they add up to the age
        if self.resting:
            self.drops.rested += 1
        elif self._too_old(frame, now_ns):
            self.drops.missed += 1
            self._missed_ns = stages_ns
        elif not self.feed.fresh(now_ns):
            self.drops.stale += 1
        else:
            return self._shown(frame, found, age_ns, stages_ns)
        return None

    def change(self, now_ns: int, names: tuple[str, ...]) -> Result | None:
        """What is to be told without a frame, if anything: another state, or an answer missed."""
        self.drops.replaced += self.feed.lost()
        state = self._state(now_ns)
        missed_ns, self._missed_ns = self._missed_ns, None
        if missed_ns is None:
            if state in (self.state, CameraState.LIVE):  # LIVE is told by the frame that shows it
                return None
        elif state is CameraState.LIVE:
            state = CameraState.STALE
        self.state, nothing = state, Detections.none(names)
        result = Result(self.feed.name, state, None, nothing, dropped=self._untold())
        return result if missed_ns is None else replace(result, missed=1, stages_ns=missed_ns)

    def told(self, found: Detections, frame: Frame, least: NDArray[np.float32]) -> Detections:
        """Of what was found, what is told: with its tracks, where frames show one scene."""
        scene_ns = self.feed.scene_ns(frame)
        if self.tracker is None or scene_ns is None:
            return published(found, least)
        return self.tracker.follow(found, scene_ns, least)

    def report(self) -> CameraReport:
        """How it fares."""
        feed = self.feed
        fared = (feed.error, feed.connections, feed.trouble, self.answers, replace(self.drops))
        return CameraReport(feed.name, feed.live, feed.fps, self.state, *fared, self.resting)

    def _shown(
        self, frame: Frame, found: Detections, age_ns: int, stages_ns: dict[str, int]
    ) -> Result:
        self.state, self._seen_ns = CameraState.LIVE, frame.captured_ns
        self.answers += 1
        name, scene_ns = self.feed.name, self.feed.scene_ns(frame)
        if frame.camera != name:  # the second camera of that name
            frame = replace(frame, camera=name)
        dropped = self._untold()
        return Result(
            *(name, self.state, frame, found, age_ns, dropped),
            stages_ns=stages_ns,
            scene_ns=scene_ns,
        )

    def _untold(self) -> int:
        """Frames dropped since the last result."""
        total = self.drops.total
        untold, self._counted = total - self._counted, total
        return untold

    def _too_old(self, frame: Frame, now_ns: int) -> bool:
        return self.feed.live and now_ns - frame.captured_ns > self.deadline_ns

    def _state(self, now_ns: int) -> CameraState:
        """Of a camera that rests, by the newest frame that was looked at."""
        feed = self.feed
        if not self.resting or feed.over:
            return feed.state(now_ns)
        silence_ns = None if self._seen_ns is None else now_ns - self._seen_ns
        return state_after(silence_ns, feed.patience)
