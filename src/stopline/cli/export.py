"""`stopline export`: a bundle from a checkpoint of ours or an ONNX file of others."""

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stopline.cli.export_source import Found, Wanted, find_source
from stopline.devices.coco import CocoSet, load_image, read_coco
from stopline.devices.evaluation import MIN_SCORE, EvaluationSettings, evaluate
from stopline.devices.evaluation_report import accuracy
from stopline.devices.whole_file import refuse_unwritable, write_whole
from stopline.export.bundle import Exported, ExportSettings, export_bundle
from stopline.export.card import shippable_sentence
from stopline.export.contract import ContractSettings
from stopline.export.families import FAMILIES
from stopline.export.pictures import pictures, spread
from stopline.export.raw import HW
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Accuracy


class _Size(click.ParamType[HW]):
    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> HW:
        sides = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", str(value))
        if sides is None:
            self.fail(f"{value!r}: wanted height x width, as in 384x640", param, ctx)
        return int(sides[1]), int(sides[2])


@click.command(name="export")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The bundle.")
@click.option(
    "--family", type=click.Choice([one.name for one in FAMILIES]), help="[what recognises it]"
)
@click.option("--input", "input_hw", type=_Size(), help="Height and width [the source's own].")
@click.option("--classes", help="coco80, a file of names or a,b,c [the source's own, or coco80].")
@click.option("--batch", type=click.IntRange(1, 64), default=1, help="Leave n open, up to N [1].")
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder to compare on [rendered streets]."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Labels of --images: measure accuracy too."
)
@click.option("--name", help="Of the bundle [that of -o].")
@click.option("--notes", type=click.Path(path_type=Path), help="Markdown to end the model card.")
@click.option("--source-name", help="What an ONNX file is, and who made it.")
@click.option("--licence", help="Its licence.")
@click.option("--commercial/--non-commercial", default=None, help="What that licence allows.")
@click.option("--require-shippable", is_flag=True, help="Fail if a source is non-commercial.")
@click.option("--json", type=click.Path(path_type=Path), help="Write a report; - is stdout.")
def command(**options: Any) -> None:
    """Make a bundle of SOURCE: a checkpoint of `stopline train`, or an ONNX file of others.

    The bundle appears only if it finds the same boxes as its source. An ONNX file of unknown
    licence is exported, and marked as not to be shipped.
    """
    wanted = Wanted(**options)
    if wanted.json is not None and wanted.json != Path("-"):
        refuse_unwritable(wanted.json)
    with Console(stderr=True).status(f"exporting {wanted.source}"):
        found = find_source(wanted)
        images, measure = _evidence(wanted)
        contract = ContractSettings(wanted.input_hw, wanted.batch)
        settings = ExportSettings(contract, found.run, measure)
        exported = export_bundle(wanted.output, found.detector, found.about, images, settings)
    _report(exported, found, wanted)


def _evidence(wanted: Wanted) -> tuple[list[Image], Callable[[Bundle], Accuracy] | None]:
    """What to compare on, and with labels, how to measure."""
    if wanted.data is None:
        return pictures(wanted.images), None
    labelled = read_coco(wanted.data, wanted.images or wanted.data.parent)
    images = [load_image(one) for one in spread(labelled.images)]
    return images, lambda bundle: _measured(bundle, labelled)


def _measured(bundle: Bundle, labelled: CocoSet) -> Accuracy:
    with Detector(bundle, settings=DetectorSettings(min_score=MIN_SCORE)) as detector:
        return accuracy(evaluate(detector, labelled, EvaluationSettings(resamples=0)))


def _report(exported: Exported, found: Found, wanted: Wanted) -> None:
    to_stdout = wanted.json == Path("-")
    encoded = msgspec.json.format(msgspec.json.encode(_as_json(exported, found, wanted)), indent=2)
    if to_stdout:
        click.echo(encoded)
    elif wanted.json is not None:
        write_whole(encoded + b"\n", wanted.json)
    Console(stderr=to_stdout, highlight=False).print(_table(exported, found, wanted))


def _table(exported: Exported, found: Found, wanted: Wanted) -> Table:
    manifest = exported.bundle.manifest
    size = f"{manifest.input.height}x{manifest.input.width}, {manifest.input.resize}"
    measured = manifest.variants["fp32"].accuracy
    rows = {
        "bundle": str(wanted.output),
        "family": found.detector.family.name,
        "input": f"{size}, batch {manifest.input.batch}",
        "gives": f"{manifest.boxes} boxes of {len(manifest.classes)} classes",
        "the same answer": str(exported.parity),
        "may be shipped": shippable_sentence(manifest.provenance),
    }
    if measured is not None:
        rows["AP, AP50"] = f"{measured.AP:.3f}, {measured.AP50:.3f} on {measured.images} images"
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table


def _as_json(exported: Exported, found: Found, wanted: Wanted) -> dict[str, Any]:
    manifest = exported.bundle.manifest
    return {
        "bundle": str(wanted.output),
        "name": manifest.name,
        "family": found.detector.family.name,
        "input": msgspec.to_builtins(manifest.input),
        "boxes": manifest.boxes,
        "classes": list(manifest.classes),
        "parity": asdict(exported.parity),
        "shippable": manifest.provenance.shippable,
        "sources": msgspec.to_builtins(manifest.provenance.sources),
        "accuracy": msgspec.to_builtins(manifest.variants["fp32"].accuracy),
        "files": msgspec.to_builtins(manifest.files),
    }
