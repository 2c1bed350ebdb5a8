"""What a run consists of, opened as its options say: sinks, rules, governor, and their keeper."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from stopline.cli.run_options import RunOptions
from stopline.cli.run_sinks import Surroundings, sinks_of
from stopline.runtime.detector import Detector
from stopline.runtime.pipeline import Pipeline
from stopline.runtime.service.keeper import Keeper
from stopline.runtime.service.notify import Systemd
from stopline.runtime.service.session import Session
from stopline.runtime.sinks.behind import Behind
from stopline.runtime.sinks.tally import Tally

if TYPE_CHECKING:
    from stopline.runtime.alerts.book import RulesBook
    from stopline.runtime.governor.governor import Governor
    from stopline.runtime.sinks.recording import Recorder

# What only some options need is imported where they are looked at: a camera must not wait for it.


class Run(NamedTuple):
    """A session, what it counts, and the recordings it makes."""

    session: Session
    tally: Tally
    recorders: "list[Recorder]"

    def written(self) -> list[str]:
        """Files of recordings, once they are finished."""
        return [str(path) for each in self.recorders for path in each.finished]


def open_run(
    options: RunOptions, detectors: Sequence[Detector], pipeline: Pipeline, opened: ExitStack
) -> Run:
    """Called once the sources are open: a mistyped one must not empty the results of before."""
    cameras = pipeline.reports()
    live = [camera.name for camera in cameras if camera.live]
    tally = Tally(deadline_s=options.deadline_s)
    session = Session(pipeline, live, detectors, [tally], governor=_governor(options, len(live)))
    book = _book(options, detectors[0], session)
    names, rate_of = [camera.name for camera in cameras], partial(_rate_of, pipeline)
    run = Run(session, tally, [])
    around = Surroundings(names, rate_of, book, partial(_losses, session), run.recorders)
    for sink in sinks_of(options, around):
        # Files wait for their sinks; cameras do not, and what a sink cannot take is counted. The
        # page keeps the newest result only, and needs no queue.
        placed = Behind(sink, on_trouble=session.tell) if live and sink.name != "view" else sink
        opened.callback(placed.close)
        session.sinks.append(placed)
    if book is not None:
        opened.callback(_end_alerts, session)
    opened.enter_context(_kept(options, session, book))
    return run


def _losses(session: Session) -> dict[str, int]:
    """By sink, what it was given and has not written."""
    behind = [sink for sink in session.sinks if isinstance(sink, Behind)]
    return {sink.name: sink.counters.not_written for sink in behind}


def _governor(options: RunOptions, cameras: int) -> "Governor | None":
    if options.deadline_s is None or not options.degrade:
        return None
    from stopline.runtime.governor.governor import Governor, GovernorSettings
    from stopline.runtime.governor.heat import Heat
    from stopline.runtime.governor.ladder import ladder_for

    if cameras == 0:
        raise click.UsageError("--degrade needs a live camera: a file waits for its answers")
    ladder = ladder_for(options.deadline_s, cameras, options.fallback is not None)
    heat = Heat()
    if not options.quiet:
        when = "too slow or hot" if heat.sensors else "too slow (no heat sensor here)"
        rungs = ", then ".join(rung.name for rung in ladder[1:])
        click.echo(f"stopline: if {when}: {rungs}", err=True)
    return Governor(ladder, GovernorSettings(options.deadline_s), heat)


def _book(options: RunOptions, detector: Detector, session: Session) -> "RulesBook | None":
    """The page can write rules into it even where no file was given."""
    if options.rules is None and options.view is None:
        return None
    from stopline.runtime.alerts.book import RulesBook
    from stopline.runtime.alerts.rules import no_rules, read_rules
    from stopline.runtime.alerts.watch import Watch

    path = None if options.rules is None else Path(options.rules)
    rules = no_rules() if path is None else read_rules(path, detector.names)
    watch = Watch(rules)
    session.watch = watch
    session.pipeline.report_from(rules.min_score)
    return RulesBook(watch, detector.names, path)


def _end_alerts(session: Session) -> None:
    for event in session.watch.over() if session.watch is not None else ():
        session.tell(event)


@contextmanager
def _kept(options: RunOptions, session: Session, book: "RulesBook | None") -> Iterator[None]:
    """Systemd hears of it, and SIGHUP has the rules read anew, where there are any."""
    reload = partial(_reload, session, book)
    keeper = Keeper(Systemd(), lambda: session.pipeline.turns, partial(_status, session), reload)
    with keeper.start():
        if options.rules is None:
            yield
            return
        before = signal.signal(signal.SIGHUP, lambda number, frame: keeper.ask_to_reload())
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before)


def _reload(session: Session, book: "RulesBook | None") -> None:
    """A broken file changes nothing but is told."""
    if book is None:
        return
    event = book.reload()
    session.pipeline.report_from(book.rules.min_score)
    session.tell(event)


def _status(session: Session) -> str:
    reports = session.pipeline.reports()
    live = sum(camera.state == "LIVE" for camera in reports)
    return f"{live} of {len(reports)} cameras LIVE"


def _rate_of(pipeline: Pipeline, camera: str) -> tuple[bool, float | None]:
    return next((known.live, known.fps) for known in pipeline.reports() if known.name == camera)
