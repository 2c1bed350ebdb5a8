"""Sources made into feeds, with a name of their own each."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from stopline.runtime.cameras.camera import (
    Camera,
    Clock,
    Source,
    SourceName,
    find_source,
    source_of,
)
from stopline.runtime.cameras.feed import Feed, FileFeed
from stopline.runtime.cameras.live_feed import LiveFeed, LiveSettings
from stopline.runtime.cameras.newest import News

Sources: TypeAlias = SourceName | Camera | Iterable[SourceName | Camera]


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """With `realtime`, files are played at their own rate and lose frames like cameras."""

    live: LiveSettings = field(default_factory=LiveSettings)
    realtime: bool = False


def open_feeds(
    sources: Sources, settings: FeedSettings, news: News, clock: Clock = time.monotonic_ns
) -> list[Feed]:
    """In their order; but files open first, so that no camera is disturbed if one fails.

    Raises OSError for a file that cannot be opened and ValueError for no source at all.
    """
    named = distinct_names([_source(one, settings, clock) for one in _listed(sources)])
    feeds: dict[str, Feed] = {}
    try:
        for source in sorted(named, key=lambda source: source.live):
            feeds[source.name] = _feed(source, settings, news, clock)
    except BaseException:
        close_feeds(list(feeds.values()), 0)
        raise
    return [feeds[source.name] for source in named]


def close_feeds(feeds: Sequence[Feed], within_s: float) -> None:
    """Give all cameras back, and leave behind those that hang for longer."""
    for feed in feeds:
        feed.stop()
    deadline_s = time.monotonic() + within_s
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


def _listed(sources: Sources) -> list[SourceName | Camera]:
    if isinstance(sources, (str, int, Path, Camera)):
        return [sources]
    listed = list(sources)
    if not listed:
        raise ValueError("no source to detect on: name at least one")
    return listed


def _source(source: SourceName | Camera, settings: FeedSettings, clock: Clock) -> Source:
    if isinstance(source, (str, int, Path)):
        return find_source(source, realtime=settings.realtime, clock=clock)
    return source_of(source, realtime=settings.realtime, clock=clock)


def _feed(source: Source, settings: FeedSettings, news: News, clock: Clock) -> Feed:
    if source.live:
        return LiveFeed(source, news, settings.live, clock)
    return FileFeed(source, clock)
