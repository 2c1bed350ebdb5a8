"""What `stopline run` can be told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stopline.runtime.manifest import Precision


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed."""

    bundle: str
    sources: tuple[str, ...]
    min_score: float | None
    backend: str | None
    precision: "Precision | None"
    threads: int | None
    realtime: bool
    reconnect: bool
    wait_for_cameras: bool
    deadline_ms: float | None
    degrade: bool
    fallback: str | None
    rules: str | None
    clips: str | None
    clips_mib: float
    json: str | None
    json_mib: float | None
    record: str | None
    view: str | None
    metrics: str | None
    mqtt: str | None
    seconds: float | None
    frames: int | None
    quiet: bool

    @property
    def deadline_s(self) -> float | None:
        """As the runtime takes it."""
        return None if self.deadline_ms is None else self.deadline_ms / 1000

    def check(self) -> None:
        """Raise UsageError for an option that needs another to mean anything, or means nothing."""
        needs = [
            ("--degrade", self.degrade, "--deadline-ms", self.deadline_ms),
            ("--fallback", self.fallback, "--degrade", self.degrade),
            ("--json-mib", self.json_mib, "--json", self.json),
            ("--clips", self.clips, "--rules or --view", self.rules or self.view),
        ]
        for option, given, other, there in needs:
            if given and not there:
                raise click.UsageError(f"{option} needs {other}")
        if self.json_mib and self.json == "-":
            raise click.UsageError("--json-mib needs --json FILE: standard output has no end")
        self._check_addresses()

    def _check_addresses(self) -> None:
        """Now, not when a detector is loaded and half of the sinks are open."""
        if not (self.view or self.metrics or self.mqtt):
            return
        from stopline.runtime.sinks.address import parse_address
        from stopline.runtime.sinks.broker import parse_broker

        addresses: tuple[tuple[str, str | None, Callable[[str], object]], ...] = (
            ("--view", self.view, parse_address),
            ("--metrics", self.metrics, parse_address),
            ("--mqtt", self.mqtt, parse_broker),
        )
        for option, text, parse in addresses:
            if text is not None:
                _check(option, text, parse)


def _check(option: str, text: str, parse: Callable[[str], object]) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _known_backend(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    from stopline.runtime.backends.backend import backend_names

    if name not in backend_names():
        raise click.BadParameter(f"{name!r} is none of {', '.join(backend_names())}")
    return name


def _positive() -> click.FloatRange:
    return click.FloatRange(0, min_open=True)


_OPTIONS = (
    click.argument("bundle", default="road-nano"),
    click.option(
        "--source",
        "sources",
        metavar="S",
        multiple=True,
        required=True,
        help="Camera index, /dev/videoN, file, folder or glob of images, rtsp://…, http://…, "
        "csi://0, gst:PIPELINE or sim://road. Repeat it for several cameras, the most important "
        "first.",
    ),
    click.option(
        "--min-score",
        type=click.FloatRange(0, 1),
        help="Report from this score on; what is tracked is followed below it.",
    ),
    click.option("--backend", metavar="NAME", callback=_known_backend, help="What runs the graph."),
    click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="Which variant."),
    click.option("--threads", type=click.IntRange(1), help="Of the backend; default: all cores."),
    click.option("--realtime", is_flag=True, help="Play files at their own rate, as cameras."),
    click.option(
        "--reconnect/--no-reconnect",
        default=True,
        help="A live camera that fails is opened again, for as long as it takes [yes].",
    ),
    click.option(
        "--wait-for-cameras", is_flag=True, help="Also one that has not given a frame yet."
    ),
    click.option(
        "--deadline-ms",
        type=_positive(),
        help="An answer older than this is not published, but counted as missed.",
    ),
    click.option(
        "--degrade",
        is_flag=True,
        help="When deadlines are missed or the board throttles: fewer frames a second, then the "
        "fallback, then fewer cameras, the last first; each step is announced, and taken back.",
    ),
    click.option("--fallback", metavar="BUNDLE", help="A faster one of the same classes."),
    click.option(
        "--rules", metavar="FILE", help="Zones and alerts, as JSON; SIGHUP reads it anew."
    ),
    click.option("--clips", metavar="DIR", help="A video of each alert, from before to after it."),
    click.option(
        "--clips-mib", type=_positive(), default=1024.0, help="Then the oldest goes [1024]."
    ),
    click.option("--json", metavar="FILE", help="Results as JSON, one a line; - is stdout."),
    click.option("--json-mib", type=_positive(), help="Turn the file over, and keep so much."),
    click.option("--record", metavar="FILE.mp4", help="Write an annotated video."),
    click.option("--view", metavar="[HOST:]PORT", help="Serve a page with what the cameras see."),
    click.option("--metrics", metavar="[HOST:]PORT", help="Serve counters for Prometheus."),
    click.option("--mqtt", metavar="URL", help="mqtt://user:password@host/prefix"),
    click.option("--seconds", type=_positive(), help="Stop after that long."),
    click.option("--frames", type=click.IntRange(1), help="Stop after that many results."),
    click.option("--quiet", is_flag=True, help="No table and no summary."),
)


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command all of them, in the order in which `--help` shows them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
