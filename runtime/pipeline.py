"""Cameras in, results out: each frame's detections, with its age and its camera's state."""

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stopline.runtime.arrays import Image
from stopline.runtime.batching import Batching
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.cameras.camera_state import SECOND_NS, Patience
from stopline.runtime.cameras.feeds import FeedSettings, Sources, close_feeds, open_feeds
from stopline.runtime.cameras.live_feed import LiveSettings
from stopline.runtime.cameras.newest import News, Taken
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.closing import Closing
from stopline.runtime.detector import Inference
from stopline.runtime.frame import Result
from stopline.runtime.served import CameraReport, Drops, Served
from stopline.runtime.tracking.published import least_of
from stopline.runtime.tracking.tracker import Tracker, TrackerSettings

__all__ = ["CameraReport", "Detects", "Drops", "Pipeline", "PipelineSettings"]

# How late a change of state may be seen, and how long Ctrl-C may take, while no frame comes.
POLL_S = 0.02


class Detects(Protocol):
    """What a pipeline asks of its detector."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all classes."""

    @property
    def batch(self) -> int:
        """How many images it takes at once."""

    @property
    def min_score(self) -> float:
        """What is told has it, unless it is followed; `Pipeline.report_from` says otherwise."""

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        """Detect in a batch of images, from that score on, or from `min_score`."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """With `realtime`, files are played at their own rate and lose frames like cameras.

    Without `tracking` detections have no numbers. Nothing of a live camera is shown that is older
    than `deadline_s`; a file does not age.
    """

    patience: Patience = field(default_factory=Patience)
    reconnect: Reconnect = field(default_factory=Reconnect)
    realtime: bool = False
    tracking: TrackerSettings | None = field(default_factory=TrackerSettings)
    deadline_s: float | None = None
    close_within_s: float = 0.5  # a camera that hangs for longer is abandoned

    def __post_init__(self) -> None:
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise ValueError(f"a deadline of {self.deadline_s} s: wanted more than 0")


class Pipeline(Closing):
    """`for result in Pipeline(detector, sources)`: runs once, until every source is over.

    A live camera gives its newest frame, a file every frame; of several, the one that waited
    longest is next, and with it as many as pays, but none is waited for. A change of state is a
    result of its own, without a frame; only becoming LIVE is told by the frame that shows it.
    An answer that is older than the deadline is not shown: it is a result that is STALE, `missed`.

    A file that cannot be opened raises OSError at once; a live camera that fails is LOST until a
    new connection gives a frame, and `reports` says why.

    `pace`, `use`, `rest` and `report_from` are for whoever reads the results, between two of them.
    """

    turns = 0  # how often the loop came round: every 20 ms, unless it detects or its reader does

    def __init__(
        self,
        detector: Detects,
        sources: Sources,
        *,
        settings: PipelineSettings | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """Open the files and begin to connect to the cameras."""
        self._detector = detector
        self._settings = settings = settings or PipelineSettings()
        self._clock = clock
        self._news = News()
        self._stopping = False
        self._batching = Batching(detector.batch)
        self.report_from({})
        live = LiveSettings(settings.patience, settings.reconnect)
        feeds = open_feeds(sources, FeedSettings(live, settings.realtime), self._news, clock)
        deadline_ns = (settings.deadline_s or math.inf) * SECOND_NS
        self._served = [Served(feed, self._tracker(), deadline_ns) for feed in feeds]

    def __iter__(self) -> Iterator[Result]:
        """Whoever leaves the loop early closes the cameras by it."""
        try:
            yield from self._run()
        finally:
            self.close()

    def stop(self) -> None:
        """End the iteration after the result that is being made; a signal handler may call it."""
        self._stopping = True

    def close(self) -> None:
        """Give all cameras back, and leave behind those that hang."""
        self._stopping = True
        close_feeds([served.feed for served in self._served], self._settings.close_within_s)

    def pace(self, most_fps: float | None) -> None:
        """Look at so many frames a second of each live camera at most; None for all."""
        for served in self._served:
            served.pace.set(most_fps)

    def use(self, detector: Detects) -> None:
        """Detect with another one from the next frame on; the first is not closed.

        Raises ValueError if it finds other classes.
        """
        before = self._detector.names
        if detector.names != before:
            raise ValueError(f"a detector of {detector.names} in place of one of {before}")
        if detector is not self._detector:
            self._detector, self._batching = detector, Batching(detector.batch)
            self.report_from(self._min_score)

    def rest(self, cameras: Collection[str]) -> None:
        """Do not look at these live cameras until told otherwise, but at all others again.

        Their frames are dropped, and as nobody looks they are STALE and then LOST. Raises
        ValueError for what is no live camera.
        """
        live = [served.feed.name for served in self._served if served.feed.live]
        if unknown := sorted(set(cameras) - set(live)):
            raise ValueError(f"no live camera {unknown[0]!r}: there is {', '.join(live) or 'none'}")
        for served in self._served:
            served.resting = served.feed.name in cameras

    def report_from(self, min_score: Mapping[str, float]) -> None:
        """Tell the named classes from these scores on, and all others as the detector says.

        Raises ValueError for a class that there is not.
        """
        tracking = self._settings.tracking
        self._least = least_of(self._detector.names, self._detector.min_score, min_score)
        # A tracker is fed what is too doubtful to be told.
        fed = 1.0 if tracking is None else tracking.feed
        self._least_score = min(float(self._least.min()), fed)
        self._min_score = min_score

    @property
    def hangs(self) -> bool:
        """Whether a camera was left behind in a read that does not return."""
        return any(served.feed.hangs for served in self._served)

    def reports(self) -> list[CameraReport]:
        """How each camera fares now, or fared when the pipeline was closed."""
        return [served.report() for served in self._served]

    def _run(self) -> Iterator[Result]:
        while not self._stopping:
            self.turns += 1
            seen = self._news.count
            # Asked before the changes are told: a camera may end in between.
            over = all(served.feed.over for served in self._served)
            yield from self._changes()
            if over:
                return
            ready = [served for served in self._served if served.ready()]
            if ready:
                yield from self._answers(self._taken(ready))
            else:
                self._news.wait(seen, POLL_S)

    def _changes(self) -> Iterator[Result]:
        """What is to be told without a frame."""
        for served in self._served:
            now_ns = self._clock()
            served.feed.tend(now_ns)
            error = served.feed.error
            if error is not None and not isinstance(error, (OSError, ValueError)):
                raise error  # not the camera's fault, but a mistake in its code
            if (result := served.change(now_ns, self._detector.names)) is not None:
                yield result

    def _taken(self, ready: list[Served]) -> list[tuple[Served, Taken]]:
        """Frames to detect in together, of those cameras that had no turn for longest."""
        in_turn = sorted(ready, key=lambda served: served.last_turn)
        if len(ready) > 1:
            now_ns = self._clock()
            left_ns = min(served.left_ns(now_ns) for served in ready)
            in_turn = in_turn[: self._batching.size(len(ready), now_ns, left_ns)]
        taken = []
        # Live ones last: a file is decoded now, and meanwhile a newer frame may come.
        for served in sorted(in_turn, key=lambda served: served.feed.live):
            served.last_turn = self.turns
            if (one := served.take(self._clock)) is not None:
                taken.append((served, one))
        return taken

    def _answers(self, taken: list[tuple[Served, Taken]]) -> Iterator[Result]:
        if not taken:
            return
        began_ns = self._clock()
        images, least = [one.frame.image for _, one in taken], self._least
        found, stages_ns = self._detector.detect(images, self._least_score)
        detected_ns = self._clock()
        self._batching.ran(len(taken), detected_ns - began_ns, detected_ns)
        for (served, one), detections in zip(taken, found, strict=True):
            if self._stopping:
                return
            began_ns = self._clock()
            told = served.told(detections, one.frame, least)
            now_ns = self._clock()
            all_ns = {**one.stages_ns, **stages_ns, "track": now_ns - began_ns}
            if (result := served.answer(one.frame, told, all_ns, now_ns)) is not None:
                yield result

    def _tracker(self) -> Tracker | None:
        tracking = self._settings.tracking
        return None if tracking is None else Tracker(tracking)
