"""`stopline eval`: COCO AP of a bundle through the runtime."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from stopline.cli.evaluation_table import confusion, figures, remarks
from stopline.cli.report import given
from stopline.devices.coco import CocoSet, read_coco
from stopline.devices.contact_sheet import contact_sheet, write_png
from stopline.devices.evaluation import MIN_SCORE, Evaluation, EvaluationSettings, evaluate
from stopline.devices.evaluation_report import as_json
from stopline.devices.whole_file import refuse_unwritable
from stopline.runtime.bundle import open_bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Precision


@dataclass(frozen=True)
class _Wanted:
    """The options of the command."""

    data: Path
    images: Path | None
    class_map: tuple[str, ...]
    precision: Precision | None
    backend: str | None
    json: Path | None
    confusion: bool
    worst: Path | None
    limit: int | None
    score: float | None


@click.command(name="eval")
@click.argument("bundle", default="road-nano")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Labels, COCO JSON.")
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder of the images [that of --data]."
)
@click.option(
    "--map",
    "class_map",
    multiple=True,
    metavar="A=B",
    help="Count the detector's class A as the set's class B. Repeat it for several.",
)
@click.option("--precision", type=click.Choice(get_args(Precision)), help="Variant [fp32].")
@click.option("--backend", help="What runs the graph [the best that this machine has].")
@click.option("--json", type=click.Path(path_type=Path), help="Write the figures; - is stdout.")
@click.option("--confusion", is_flag=True, help="Show what was taken for what.")
@click.option("--worst", type=click.Path(path_type=Path), help="Draw the worst mistakes: a PNG.")
@click.option("--limit", type=click.IntRange(min=1), help="Only N images, spread over the set.")
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    help="Where the detector is used, for precision, confusion and mistakes [the bundle's].",
)
def command(bundle: str, **options: object) -> None:
    """Measure COCO AP of BUNDLE on labelled images, through the code that runs on the board.

    Only what an image says it is labelled for is counted in it. AP is over all scores above .01.
    """
    wanted = _Wanted(**options)  # type: ignore[arg-type]  # click has checked every type
    class_map = _class_map(wanted.class_map)
    _refuse_outputs(wanted)
    coco_set = read_coco(wanted.data, wanted.images or wanted.data.parent)
    if wanted.limit is not None:
        coco_set = _spread(coco_set, wanted.limit)
    opened = open_bundle(bundle)
    precision = opened.precision(wanted.precision)
    settings = DetectorSettings(backend=wanted.backend, precision=precision, min_score=MIN_SCORE)
    with Detector(opened, settings=settings) as detector:
        used_at = detector.bundle.manifest.thresholds.min_score
        score = used_at if wanted.score is None else wanted.score
        with _progress(len(coco_set.images)) as on_image:
            evaluation = evaluate(
                detector, coco_set, EvaluationSettings(class_map, score), on_image
            )
    _give(evaluation, coco_set, wanted)


def _give(evaluation: Evaluation, coco_set: CocoSet, wanted: _Wanted) -> None:
    """The files first: whoever sees the table finds them written."""
    if wanted.worst is not None:
        write_png(contact_sheet(evaluation.missed, evaluation.false), wanted.worst)
    console = given(as_json(evaluation), wanted.json)
    console.print(figures(evaluation))
    if wanted.confusion:
        console.print(confusion(evaluation))
    written = [str(where) for where in (wanted.json, wanted.worst) if where and str(where) != "-"]
    for line in (*remarks(evaluation, coco_set), *(f"wrote {where}" for where in written)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _class_map(pairs: Sequence[str]) -> dict[str, str]:
    """`("truck=car",)` → `{"truck": "car"}`"""
    split = [pair.partition("=") for pair in pairs]
    for pair, (left, _, right) in zip(pairs, split, strict=True):
        if not (left and right):
            raise click.BadParameter(f"{pair!r}: wanted A=B, as in truck=car", param_hint="--map")
    if len({left for left, _, _ in split}) != len(split):
        raise click.BadParameter("a class is mapped twice", param_hint="--map")
    return {left: right for left, _, right in split}


def _refuse_outputs(wanted: _Wanted) -> None:
    """Before the minutes of work that they are to hold."""
    if wanted.worst is not None and wanted.worst.suffix.lower() != ".png":
        raise click.BadParameter(f"{wanted.worst}: wanted a .png", param_hint="--worst")
    for where in (wanted.json, wanted.worst):
        if where is not None and where != Path("-"):
            refuse_unwritable(where)


def _spread(coco_set: CocoSet, limit: int) -> CocoSet:
    """Sets are often sorted by source: the first N would be of one."""
    count = min(limit, len(coco_set.images))
    picked = np.linspace(0, len(coco_set.images) - 1, count).round().astype(int).tolist()
    return replace(coco_set, images=tuple(coco_set.images[index] for index in picked))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("images", total=total)
        yield lambda: progress.advance(task)
