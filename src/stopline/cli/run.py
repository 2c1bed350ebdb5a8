"""`stopline run`: detect on cameras, files or a simulated road."""

import math
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from stopline.runtime.cameras.reconnect import Reconnect
    from stopline.runtime.detector import Detector
    from stopline.runtime.frame import Result
    from stopline.runtime.manifest import Precision
    from stopline.runtime.pipeline import CameraReport, Pipeline
    from stopline.runtime.sinks.json_lines import JsonLines
    from stopline.runtime.sinks.recording import Recorder
    from stopline.runtime.sinks.tally import Tally

# The runtime is imported inside functions: `--help`, and a wrong option, must not wait for OpenCV.


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed."""

    bundle: str
    sources: tuple[str, ...]
    json: str | None
    record: str | None
    min_score: float | None
    backend: str | None
    precision: "Precision | None"
    threads: int | None
    realtime: bool
    reconnect: bool
    wait_for_cameras: bool
    seconds: float | None
    frames: int | None
    quiet: bool


class _Sink(Protocol):
    def write(self, result: "Result") -> None: ...


@dataclass(slots=True)
class _Sinks:
    """What every result is written to, the tally first."""

    tally: "Tally"
    all: list[_Sink]
    json: "JsonLines | None" = None
    recorder: "Recorder | None" = None


@dataclass(slots=True)
class _Signals:
    got: int | None = None


def _known_backend(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    from stopline.runtime.backends.backend import backend_names

    if name not in backend_names():
        raise click.BadParameter(f"{name!r} is none of {', '.join(backend_names())}")
    return name


@click.command()
@click.argument("bundle", default="road-nano")
@click.option(
    "--source",
    "sources",
    metavar="S",
    multiple=True,
    required=True,
    help="Camera index, /dev/videoN, file, folder or glob of images, rtsp://…, http://…, csi://0, "
    "gst:PIPELINE or sim://road. Repeat it for several cameras.",
)
@click.option("--json", metavar="FILE", help="Write results as JSON, one a line; - is stdout.")
@click.option("--record", metavar="FILE.mp4", help="Write an annotated video.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Report from this score on.")
@click.option("--backend", metavar="NAME", callback=_known_backend, help="What runs the graph.")
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="Which variant.")
@click.option("--threads", type=click.IntRange(1), help="Of the backend; default: all cores.")
@click.option("--realtime", is_flag=True, help="Play files at their own rate, as live cameras.")
@click.option(
    "--reconnect/--no-reconnect",
    default=True,
    help="A live camera that fails is opened again, for as long as it takes [yes].",
)
@click.option("--wait-for-cameras", is_flag=True, help="Also one that has not given a frame yet.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Stop after that long.")
@click.option("--frames", type=click.IntRange(1), help="Stop after that many results.")
@click.option("--quiet", is_flag=True, help="No table and no summary.")
def command(**typed: Any) -> int:
    """Detect with BUNDLE (default: the built-in road-nano) in what the sources see.

    Exits 0 if every file was read to its end and every camera was alive at the end.
    """
    return _run(RunOptions(**typed))


def _run(options: RunOptions) -> int:
    import cv2

    from stopline.runtime.detector import Detector, DetectorSettings
    from stopline.runtime.pipeline import Pipeline, PipelineSettings

    # OpenCV's threads would wait for cores on which the backend's still spin: 3 % of throughput.
    cv2.setNumThreads(1)
    chosen = DetectorSettings(
        backend=options.backend,
        precision=options.precision,
        min_score=options.min_score,
        threads=options.threads,
    )
    with ExitStack() as opened:
        detector = opened.enter_context(Detector(options.bundle, settings=chosen))
        if detector.choice.caution is not None:
            click.echo(f"stopline: {detector.choice.caution}", err=True)
        if detector.passed_over:
            click.echo(f"stopline: passed over {'; '.join(detector.passed_over)}", err=True)
        settings = PipelineSettings(reconnect=_reconnect(options), realtime=options.realtime)
        pipeline = opened.enter_context(Pipeline(detector, options.sources, settings=settings))
        signals = opened.enter_context(_stopped_by_signals(pipeline))
        sinks = _open_sinks(options, pipeline, opened)
        _write_all(pipeline, sinks, options)
    cameras = pipeline.reports()
    if not options.quiet:
        _print_summary(detector, sinks, cameras)
    return _exit_code(cameras, signals)


def _reconnect(options: RunOptions) -> "Reconnect":
    from stopline.runtime.cameras.reconnect import Reconnect

    most = math.inf if options.reconnect else 0
    return Reconnect(most_failures=most, from_start=options.wait_for_cameras)


def _write_all(pipeline: "Pipeline", sinks: _Sinks, options: RunOptions) -> None:
    if options.seconds is not None:
        # A thread: a camera that gives nothing must not keep us from looking at the clock.
        timer = threading.Timer(options.seconds, pipeline.stop)
        timer.daemon = True
        timer.start()
    for result in pipeline:
        for sink in sinks.all:
            sink.write(result)
        if options.frames is not None and sinks.tally.frames >= options.frames:
            return


def _open_sinks(options: RunOptions, pipeline: "Pipeline", opened: ExitStack) -> _Sinks:
    """Called once the sources are open: a mistyped one must not empty the results of before."""
    from stopline.runtime.sinks.tally import Tally

    tally = Tally()
    sinks = _Sinks(tally, [tally])
    if options.json is not None:
        from stopline.runtime.sinks.json_lines import JsonLines

        sinks.json = opened.enter_context(JsonLines(options.json))
        sinks.all.append(sinks.json)
    if options.record is not None:
        from stopline.runtime.sinks.recording import Recorder

        names = [camera.name for camera in pipeline.reports()]
        recorder = Recorder(Path(options.record), names, partial(_rate_of, pipeline))
        sinks.recorder = opened.enter_context(recorder)
        sinks.all.append(recorder)
    json_on_terminal = options.json == "-" and sys.stdout.isatty()
    if sys.stderr.isatty() and not options.quiet and not json_on_terminal:
        from stopline.runtime.sinks.live_table import LiveTable

        sinks.all.append(opened.enter_context(LiveTable(tally)))
    return sinks


def _rate_of(pipeline: "Pipeline", camera: str) -> tuple[bool, float | None]:
    return next((known.live, known.fps) for known in pipeline.reports() if known.name == camera)


@contextmanager
def _stopped_by_signals(pipeline: "Pipeline") -> Iterator[_Signals]:
    """The first Ctrl-C, or SIGTERM, lets the result that is being made be written whole."""
    signals = _Signals()

    def stop(number: int, frame: object) -> None:
        if signals.got is not None:
            raise KeyboardInterrupt
        signals.got = number
        pipeline.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_summary(detector: "Detector", sinks: _Sinks, cameras: "list[CameraReport]") -> None:
    from stopline.runtime.sinks.tally import summary_lines

    to_stderr = sinks.json is not None and sinks.json.path == "-"
    manifest = detector.bundle.manifest
    runs = f"{manifest.name} {detector.precision} on {detector.backend}"
    click.echo(f"{runs} ({detector.choice.why})", err=to_stderr)
    for camera in cameras:
        for line in summary_lines(camera.name, sinks.tally):
            click.echo(line, err=to_stderr)
    written = [] if sinks.json is None or to_stderr else [sinks.json.path]
    written += [] if sinks.recorder is None else [str(path) for path in sinks.recorder.finished]
    if written:
        click.echo(f"written: {', '.join(written)}", err=to_stderr)


def _exit_code(cameras: "list[CameraReport]", signals: _Signals) -> int:
    """0 if nothing failed and, but for live cameras, nothing was cut off."""
    if failed := [failure for camera in cameras if (failure := _failure(camera))]:
        click.echo(f"stopline: {'; '.join(failed)}", err=True)
        return 1
    unfinished = any(not camera.live and camera.state != "ENDED" for camera in cameras)
    if signals.got is not None and unfinished:
        click.echo(f"stopline: stopped by {signal.Signals(signals.got).name}", err=True)
        return 128 + signals.got
    return 0


def _failure(camera: "CameraReport") -> str | None:
    if camera.error is not None:
        return str(camera.error)
    if camera.live and camera.state in ("CONNECTING", "LOST"):
        why = f": {camera.trouble}" if camera.trouble else ""
        return f"camera {camera.name!r} was {camera.state.value} when the run ended{why}"
    return None
