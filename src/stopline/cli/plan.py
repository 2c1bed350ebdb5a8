"""`stopline plan`: what a bundle would take on a board that is not here. An estimate."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stopline.cli.plan_table import Row, as_json, layer_table, plan_table
from stopline.cli.report import given
from stopline.devices.planning.prediction import predicted
from stopline.devices.planning.roofline import UnknownPeak
from stopline.devices.profiles.profile import Profile, ProfileError, profile
from stopline.devices.whole_file import refuse_unwritable
from stopline.runtime.bundle import Bundle, open_bundle

if TYPE_CHECKING:
    from stopline.devices.planning.kernel import Kernel
    from stopline.runtime.manifest import Precision


@dataclass(frozen=True)
class _Wanted:
    """The options of the command."""

    device: str
    layers: int
    json: Path | None


@click.command(name="plan")
@click.argument("bundle", default="road-nano")
@click.option("--device", required=True, help="A board: orin-nano, agx-orin-64, … (docs/boards.md)")
@click.option("--layers", type=click.IntRange(0), default=0, help="Show that many slowest layers.")
@click.option("--json", type=click.Path(path_type=Path), help="Write a report; - is stdout.")
def command(bundle: str, **options: Any) -> int:
    """Predict what BUNDLE (default: road-nano) takes on a board from what is published of it.

    An estimate, of one image through one engine: no capture, no letterbox, no NMS. Exits 0 if every
    variant fits the board's memory.
    """
    wanted = _Wanted(**options)
    board = _board(wanted.device)
    if wanted.json is not None and wanted.json != Path("-"):
        refuse_unwritable(wanted.json)
    opened = open_bundle(bundle)
    rows = [_row(opened, precision, board) for precision in opened.manifest.variants]
    console = given(as_json(rows, wanted.device, opened), wanted.json)
    console.print(plan_table(rows, board, opened.manifest.name))
    if wanted.layers:
        for row in rows:
            console.print(layer_table(row, wanted.layers))
    return 0 if all(row.found is None or row.found.memory.fits for row in rows) else 1


def _board(device: str) -> Profile:
    try:
        return profile(device)
    except ProfileError as error:
        raise click.BadParameter(str(error), param_hint="--device") from error


def _row(bundle: Bundle, precision: "Precision", board: Profile) -> Row:
    kernels = _kernels(bundle.variant_path(precision))
    try:
        return Row(precision, predicted(kernels, board), None)
    except UnknownPeak as error:
        return Row(precision, None, str(error))


def _kernels(model: Path) -> "tuple[Kernel, ...]":
    try:
        import onnx

        from stopline.export.kernels import kernels_of
    except ImportError as error:
        raise ImportError(
            "plan reads the graph where it was exported, not on the board: "
            "`pip install 'stopline[export]'` brings onnx"
        ) from error
    return kernels_of(onnx.load(model))
