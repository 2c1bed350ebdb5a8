"""`stopline run`: detect on cameras, files or a simulated road."""

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from stopline.cli.run_options import RunOptions, run_options

if TYPE_CHECKING:
    from stopline.cli.run_session import Run
    from stopline.runtime.detector import Detector
    from stopline.runtime.pipeline import Pipeline, PipelineSettings

# The runtime is imported inside functions: `--help`, and a wrong option, must not wait for OpenCV.


@dataclass(slots=True)
class _Signals:
    """The first one stops the pipeline, as soon as there is one; a second one everything."""

    got: int | None = None
    pipeline: "Pipeline | None" = None

    def stop(self, number: int, frame: object) -> None:
        if self.got is not None:
            raise KeyboardInterrupt
        self.got = number
        if self.pipeline is not None:
            self.pipeline.stop()

    def will_stop(self, pipeline: "Pipeline") -> None:
        """It may have been wanted while the pipeline was opened."""
        self.pipeline = pipeline
        if self.got is not None:
            pipeline.stop()


@click.command()
@run_options
def command(**typed: Any) -> int:
    """Detect with BUNDLE (default: the built-in road-nano) in what the sources see.

    Exits 0 if every file was read to its end, every camera was alive at the end, and all that was
    to be written was.
    """
    options = RunOptions(**typed)
    options.check()
    return _run(options)


def _run(options: RunOptions) -> int:
    import cv2

    from stopline.cli.run_session import open_run
    from stopline.cli.run_summary import exit_code, print_summary
    from stopline.runtime.pipeline import Pipeline

    # OpenCV's threads would wait for cores on which the backend's still spin: 3 % of throughput.
    cv2.setNumThreads(1)
    with ExitStack() as opened:
        detectors = [
            opened.enter_context(_detector(bundle, options))
            for bundle in (options.bundle, options.fallback)
            if bundle is not None
        ]
        settings = _pipeline_settings(options)
        signals = opened.enter_context(_caught_signals())
        pipeline = opened.enter_context(Pipeline(detectors[0], options.sources, settings=settings))
        signals.will_stop(pipeline)
        run = open_run(options, detectors, pipeline, opened)
        _until_enough(run, options)
    cameras = pipeline.reports()
    if not options.quiet:
        to_stderr = options.json == "-"
        print_summary(detectors[0], run.tally, cameras, to_stderr)
        json = [] if options.json is None or to_stderr else [options.json]
        if written := json + run.written():
            click.echo(f"written: {', '.join(written)}", err=to_stderr)
    return exit_code(cameras, run.tally, signals.got)


def _detector(bundle: str, options: RunOptions) -> "Detector":
    from stopline.runtime.detector import Detector, DetectorSettings

    chosen = DetectorSettings(
        backend=options.backend,
        precision=options.precision,
        min_score=options.min_score,
        threads=options.threads,
    )
    detector = Detector(bundle, settings=chosen)
    if detector.choice.caution is not None:
        click.echo(f"stopline: {detector.choice.caution}", err=True)
    if detector.passed_over:
        click.echo(f"stopline: passed over {'; '.join(detector.passed_over)}", err=True)
    return detector


def _pipeline_settings(options: RunOptions) -> "PipelineSettings":
    from stopline.runtime.cameras.reconnect import Reconnect
    from stopline.runtime.pipeline import PipelineSettings

    most = math.inf if options.reconnect else 0
    return PipelineSettings(
        reconnect=Reconnect(most_failures=most, from_start=options.wait_for_cameras),
        realtime=options.realtime,
        deadline_s=options.deadline_s,
    )


def _until_enough(run: "Run", options: RunOptions) -> None:
    if options.seconds is not None:
        # A thread: a camera that gives nothing must not keep us from looking at the clock.
        timer = threading.Timer(options.seconds, run.session.pipeline.stop)
        timer.daemon = True
        timer.start()
    most = math.inf if options.frames is None else options.frames
    run.session.run(lambda: run.tally.frames >= most)


@contextmanager
def _caught_signals() -> Iterator[_Signals]:
    """The first Ctrl-C, or SIGTERM, lets the result that is being made be written whole."""
    signals = _Signals()
    caught = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signals.stop) for number in caught}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
