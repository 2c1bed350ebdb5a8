"""The options of `stopline export` that say which variants to make, and from what."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import click

from stopline.devices.coco import CocoSet, read_coco
from stopline.export.int8_variant import Int8Asked, int8_maker
from stopline.export.quantize.calibration import ENOUGH
from stopline.export.variants import ORDER, VariantsSettings
from stopline.runtime.manifest import Precision

F = TypeVar("F", bound=Callable[..., Any])
A_PATH = click.Path(path_type=Path)


class Precisions(click.ParamType[tuple[Precision, ...]]):
    """`fp32,fp16` → ("fp32", "fp16")"""

    name = "P,P…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Precision, ...]:
        said = [word.strip() for word in str(value).split(",")]
        if unknown := [word for word in said if word not in get_args(Precision)]:
            known = ",".join(ORDER)
            self.fail(f"{', '.join(map(repr, unknown))}: wanted some of {known}", param, ctx)
        return cast(tuple[Precision, ...], tuple(one for one in ORDER if one in said))


OPTIONS = (
    click.option(
        "--precision",
        type=Precisions(),
        help="Variants [fp32; fp16 too with --images or --data, int8 with --calibrate].",
    ),
    click.option("--calibrate", type=A_PATH, help="Training split that gives INT8 its ranges."),
    click.option("--calibrate-images", type=A_PATH, help="Its images [the folder of the file]."),
    click.option(
        "--calibration-images",
        type=click.IntRange(min=1),
        default=ENOUGH,
        help=f"How many of them [{ENOUGH}].",
    ),
    click.option(
        "--least-int8",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        help="Of the multiply-accumulates, to be in INT8 [as accuracy allows].",
    ),
    click.option(
        "--search", is_flag=True, help="Choose float layers by AP on the training split: slow."
    ),
    click.option("--work", type=A_PATH, help="Folder of a search, to go on after Ctrl-C."),
    click.option("--report", type=A_PATH, help="Folder for pictures of what was tried."),
)


@dataclass(frozen=True)
class Asked:
    """Those options."""

    precision: tuple[Precision, ...] | None
    calibrate: Path | None
    calibrate_images: Path | None
    calibration_images: int
    least_int8: float | None
    search: bool
    work: Path | None
    report: Path | None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> "Asked":
        """Take them out of all that click gives."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})


def variant_options(command: F) -> F:
    """Give a command those options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def variants_settings(
    asked: Asked, labelled: CocoSet | None, *, has_images: bool
) -> VariantsSettings:
    """Raises OSError or ValueError for a calibration set that cannot be read."""
    wanted = asked.precision or _by_default(asked, has_images)
    if asked.report is not None:
        asked.report.mkdir(parents=True, exist_ok=True)
    if asked.calibrate is None or "int8" not in wanted:
        return VariantsSettings(wanted)
    training: CocoSet | Path = asked.calibrate
    if asked.calibrate.is_file() and asked.calibrate.suffix == ".json":
        training = read_coco(asked.calibrate, asked.calibrate_images or asked.calibrate.parent)
    int8 = Int8Asked(
        training=training,
        apart_from=labelled,
        images=asked.calibration_images,
        least_int8=asked.least_int8,
        search=asked.search,
        work=asked.work,
        report=asked.report,
    )
    return VariantsSettings(wanted, int8_maker(int8))


def _by_default(asked: Asked, has_images: bool) -> tuple[Precision, ...]:
    """Rendered streets hold too few boxes of most detectors to show that FP16 is the same."""
    if asked.calibrate:
        return ORDER
    return ("fp32", "fp16") if has_images else ("fp32",)
