"""Cameras in, results out: each frame's detections, with its age and its camera's state."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import (
    Camera,
    Clock,
    Source,
    SourceName,
    find_source,
    source_of,
)
from stopline.runtime.cameras.camera_state import Patience
from stopline.runtime.cameras.feed import Feed, FileFeed
from stopline.runtime.cameras.live_feed import LiveFeed, LiveSettings
from stopline.runtime.cameras.newest import News
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Inference
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.tracking.tracker import Tracker, TrackerSettings

# How late a change of state may be seen, and how long Ctrl-C may take, while no frame comes.
POLL_S = 0.02


class Detects(Protocol):
    """What a pipeline asks of its detector."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all classes."""

    def detect(self, images: Sequence[Image]) -> Inference:
        """Detect in a batch of images."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """With `realtime`, files are played at their own rate and lose frames like cameras.

    Without `tracking` detections have no numbers.
    """

    patience: Patience = field(default_factory=Patience)
    reconnect: Reconnect = field(default_factory=Reconnect)
    realtime: bool = False
    tracking: TrackerSettings | None = field(default_factory=TrackerSettings)
    close_within_s: float = 0.5  # a camera that hangs for longer is abandoned


class CameraReport(NamedTuple):
    """How one camera fared.

    `error` is why it failed for good; `trouble` why its last connection ended, if another followed.
    """

    name: str
    live: bool
    fps: float | None
    state: CameraState
    error: Exception | None
    connections: int = 1
    trouble: Exception | None = None


@dataclass(slots=True)
class _Served:
    """What has been published of one feed."""

    feed: Feed
    tracker: Tracker | None
    state: CameraState = CameraState.CONNECTING
    last_ns: int = 0
    dropped: int = 0  # since its last result

    def published(self, state: CameraState) -> int:
        """Note a result of that state, and give the number of frames dropped before it."""
        dropped, self.dropped, self.state = self.dropped, 0, state
        return dropped

    def tracked(self, found: Detections, frame: Frame) -> Detections:
        """With the numbers of its objects, where the camera's frames show one scene."""
        scene_ns = self.feed.scene_ns(frame)
        if self.tracker is None or scene_ns is None:
            return found
        return replace(found, tracks=self.tracker(found, scene_ns))

    def report(self) -> CameraReport:
        feed = self.feed
        fared = (feed.error, feed.connections, feed.trouble)
        return CameraReport(feed.name, feed.live, feed.fps, self.state, *fared)


class Pipeline(Closing):
    """`for result in Pipeline(detector, sources)`: runs once, until every source is over.

    A live camera gives its newest frame, a file every frame; of several, the one that waited
    longest is next. A change of state is a result of its own, without a frame; only becoming
    LIVE is told by the frame that shows it. A file that cannot be opened raises OSError at once;
    a live camera that fails is LOST until a new connection gives a frame, and `reports` says why.
    """

    def __init__(
        self,
        detector: Detects,
        sources: SourceName | Camera | Iterable[SourceName | Camera],
        *,
        settings: PipelineSettings | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """Open the files and begin to connect to the cameras."""
        self._detector = detector
        self._settings = settings or PipelineSettings()
        self._clock = clock
        self._news = News()
        self._stopping = False
        found = distinct_names([self._source(source) for source in _listed(sources)])
        self._served = [_Served(feed, self._tracker()) for feed in self._feeds(found)]

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
        self._close_feeds([served.feed for served in self._served])

    @property
    def hangs(self) -> bool:
        """Whether a camera was left behind in a read that does not return."""
        return any(served.feed.hangs for served in self._served)

    def reports(self) -> list[CameraReport]:
        """How each camera fares now, or fared when the pipeline was closed."""
        return [served.report() for served in self._served]

    def _run(self) -> Iterator[Result]:
        while not self._stopping:
            seen = self._news.count
            # Asked before the changes are told: a camera may end in between.
            over = all(served.feed.over for served in self._served)
            yield from self._changes()
            if over:
                return
            ready = [served for served in self._served if served.feed.ready()]
            if not ready:
                self._news.wait(seen, POLL_S)
                continue
            longest_waiting = min(ready, key=lambda served: served.last_ns)
            if (result := self._next_result(longest_waiting)) is not None:
                yield result

    def _changes(self) -> Iterator[Result]:
        """The states that changed without a frame to show it."""
        for served in self._served:
            now_ns = self._clock()
            served.feed.tend(now_ns)
            state = served.feed.state(now_ns)
            error = served.feed.error
            if error is not None and not isinstance(error, (OSError, ValueError)):
                raise error  # not the camera's fault, but a mistake in its code
            if state not in (served.state, CameraState.LIVE):
                nothing = Detections.none(self._detector.names)
                dropped = served.published(state)
                yield Result(served.feed.name, state, None, nothing, dropped=dropped)

    def _next_result(self, served: _Served) -> Result | None:
        """None if no frame came, or too late to say what the camera sees."""
        feed = served.feed
        if (taken := feed.take()) is None:
            return None
        served.dropped += taken.dropped
        if not feed.fresh(self._clock()):
            served.dropped += 1
            return None
        [detections], stages_ns = self._detector.detect([taken.frame.image])
        detected_ns = time.monotonic_ns()
        detections = served.tracked(detections, taken.frame)
        stages_ns["track"] = time.monotonic_ns() - detected_ns
        served.last_ns = self._clock()
        if not feed.fresh(served.last_ns):
            served.dropped += 1
            return None
        frame = taken.frame
        if frame.camera != feed.name:  # the second camera of that name
            frame = replace(frame, camera=feed.name)
        age_ns = served.last_ns - frame.captured_ns
        stages_ns = taken.stages_ns | stages_ns
        stages_ns["publish"] = age_ns - sum(stages_ns.values())  # so that they add up to the age
        live = CameraState.LIVE
        dropped = served.published(live)
        return Result(feed.name, live, frame, detections, age_ns, dropped, stages_ns=stages_ns)

    def _tracker(self) -> Tracker | None:
        tracking = self._settings.tracking
        return None if tracking is None else Tracker(tracking)

    def _source(self, source: SourceName | Camera) -> Source:
        realtime = self._settings.realtime
        if isinstance(source, (str, int, Path)):
            return find_source(source, realtime=realtime, clock=self._clock)
        return source_of(source, realtime=realtime, clock=self._clock)

    def _feeds(self, sources: list[Source]) -> list[Feed]:
        """In their order; but files open first, so that no camera is disturbed if one fails."""
        feeds: dict[str, Feed] = {}
        try:
            for source in sorted(sources, key=lambda source: source.live):
                feeds[source.name] = self._feed(source)
        except BaseException:
            self._close_feeds(list(feeds.values()))
            raise
        return [feeds[source.name] for source in sources]

    def _feed(self, source: Source) -> Feed:
        if source.live:
            settings = LiveSettings(self._settings.patience, self._settings.reconnect)
            return LiveFeed(source, self._news, settings, self._clock)
        return FileFeed(source, self._clock)

    def _close_feeds(self, feeds: list[Feed]) -> None:
        for feed in feeds:
            feed.stop()
        deadline_s = time.monotonic() + self._settings.close_within_s
        for feed in feeds:
            feed.close(deadline_s)


def distinct_names(sources: list[Source]) -> list[Source]:
    """The same source twice is two cameras: the second is called `name #2`."""
    counts: Counter[str] = Counter()
    distinct = []
    for source in sources:
        counts[source.name] += 1
        nth = counts[source.name]
        distinct.append(source if nth == 1 else replace(source, name=f"{source.name} #{nth}"))
    return distinct


def _listed(
    sources: SourceName | Camera | Iterable[SourceName | Camera],
) -> list[SourceName | Camera]:
    if isinstance(sources, (str, int, Path, Camera)):
        return [sources]
    listed = list(sources)
    if not listed:
        raise ValueError("no source to detect on: name at least one")
    return listed
