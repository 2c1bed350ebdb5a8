"""Where the results of a run go, as its options say."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stopline.cli.run_options import RunOptions
from stopline.runtime.sinks.sink import Sink

if TYPE_CHECKING:
    from stopline.runtime.alerts.book import RulesBook
    from stopline.runtime.sinks.recording import RateOf, Recorder

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What some sinks ask of the run they are part of."""

    cameras: list[str]
    rate_of: "RateOf"
    book: "RulesBook | None"
    losses: Callable[[], Mapping[str, int]]
    recorders: "list[Recorder]"  # those that are opened are added


def sinks_of(options: RunOptions, around: Surroundings) -> Iterator[Sink]:
    """One after another, each open; what is not installed or cannot be had raises at once."""
    if options.json is not None:
        from stopline.runtime.sinks.json_lines import JsonLines

        yield JsonLines(options.json, options.json_mib)
    if options.record is not None:
        from stopline.runtime.sinks.recording import Recorder

        recorder = Recorder(Path(options.record), around.cameras, around.rate_of)
        around.recorders.append(recorder)
        yield recorder
    if options.clips is not None and (book := around.book) is not None:
        from stopline.runtime.sinks.clips.clips import Clips, ClipsSettings

        settings = ClipsSettings(most_mib=options.clips_mib)
        yield Clips(Path(options.clips), settings, lambda: book.rules)
    yield from _on_the_network(options, around)
    json_on_terminal = options.json == STDOUT and sys.stdout.isatty()
    if sys.stderr.isatty() and not options.quiet and not json_on_terminal:
        from stopline.runtime.sinks.live_table import LiveTable
        from stopline.runtime.sinks.tally import Tally

        yield LiveTable(Tally(deadline_s=options.deadline_s))


def _on_the_network(options: RunOptions, around: Surroundings) -> Iterator[Sink]:
    if options.metrics is not None:
        from stopline.runtime.sinks.address import parse_address
        from stopline.runtime.sinks.metrics import Metrics

        metrics = Metrics(parse_address(options.metrics), around.losses)
        click.echo(f"stopline: metrics: {metrics.url}", err=True)
        yield metrics
    if options.mqtt is not None:
        from stopline.runtime.sinks.broker import parse_broker
        from stopline.runtime.sinks.mqtt import Mqtt

        yield Mqtt(parse_broker(options.mqtt))
    if options.view is not None:
        from stopline.runtime.sinks.address import parse_address
        from stopline.runtime.sinks.view.settings import ViewSettings
        from stopline.runtime.sinks.view.view import View

        clips = None if options.clips is None else Path(options.clips)
        settings = ViewSettings(tuple(around.cameras), options.deadline_s, clips)
        view = View(parse_address(options.view), settings, around.book)
        click.echo(f"stopline: what the cameras see: {view.url}", err=True)
        yield view
