"""What `stopline profile` can be told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stopline.runtime.manifest import Precision

FILE = click.Path(path_type=Path)
SCENARIOS = ("single-stream", "multi-stream", "camera")


@dataclass(frozen=True, slots=True)
class ProfileOptions:
    """What was typed."""

    bundle: str
    source: str
    scenarios: tuple[str, ...]
    backend: str | None
    precision: "Precision | None"
    threads: int | None
    seconds: float
    streams: int
    fps: float | None
    deadline_ms: float | None
    cold_starts: int
    layers: bool
    against: str | None
    report: Path | None
    compare: tuple[Path, Path] | None
    anyway: bool
    budget: Path | None
    json: Path | None
    csv: Path | None
    html: Path | None

    @property
    def outputs(self) -> list[Path]:
        """Files that will be written."""
        return [one for one in (self.json, self.csv, self.html) if one and one != Path("-")]

    def check(self) -> None:
        """Raise UsageError for options that do not go together."""
        if self.compare is not None and (self.csv or self.html or self.budget or self.report):
            raise click.UsageError(
                "--compare only compares two reports; of options it takes --json"
            )
        if self.report is not None and self.against is not None:
            raise click.UsageError("--from measures nothing, so there is no --against")


def _positive() -> click.FloatRange:
    return click.FloatRange(0, min_open=True)


_OPTIONS = (
    click.argument("bundle", default="road-nano"),
    click.option("--source", default="sim://road", help="Where the images come from [sim://road]."),
    click.option(
        "--scenario",
        "scenarios",
        multiple=True,
        type=click.Choice(SCENARIOS),
        help="Only these: one image after the other, several at once, a camera at its own rate.",
    ),
    click.option("--backend", help="What runs the graph [the best that this machine has]."),
    click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="Which variant."),
    click.option("--threads", type=click.IntRange(1), help="Of the backend; default: all cores."),
    click.option("--seconds", type=_positive(), default=10.0, help="Of each part [10]."),
    click.option("--streams", type=click.IntRange(2), default=8, help="Of multi-stream [8]."),
    click.option("--fps", type=_positive(), help="Of the camera [what the source says]."),
    click.option(
        "--deadline-ms",
        type=_positive(),
        help="As `run --deadline-ms` [none; answers are held to the time between two frames].",
    ),
    click.option("--cold-starts", type=click.IntRange(0), default=5, help="New processes [5]."),
    click.option(
        "--layers/--no-layers", default=True, help="Layer by layer, in a pass of its own."
    ),
    click.option(
        "--against",
        metavar="B",
        help="Measure only the engine, in turn with another: a bundle, or what differs, such as "
        "precision=int8,backend=openvino,threads=1,bundle=PATH.",
    ),
    click.option("--from", "report", type=FILE, help="Measure nothing: read this report."),
    click.option("--compare", nargs=2, type=FILE, metavar="A.json B.json", help="B against A."),
    click.option("--anyway", is_flag=True, help="Compare reports of different conditions too."),
    click.option("--budget", type=FILE, help="TOML or JSON; exit 1 where it is broken."),
    click.option("--json", type=FILE, help="Write the report; - is stdout."),
    click.option("--csv", type=FILE, help="Write the figures, a row each."),
    click.option("--html", type=FILE, help="Write a page with plots, readable offline."),
)


def profile_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command all of them, in the order in which `--help` shows them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
