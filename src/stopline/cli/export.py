"""`stopline export`: a bundle from a checkpoint of ours, an ONNX file of others or a bundle."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from stopline.cli.export_report import as_json, table
from stopline.cli.export_source import Found, FoundBundle, Wanted, find_source
from stopline.cli.export_variants import Asked, variant_options, variants_settings
from stopline.cli.report import given
from stopline.cli.steps import steps
from stopline.devices.coco import CocoSet, load_image, read_coco
from stopline.devices.pictures import pictures, spread
from stopline.devices.whole_file import refuse_unwritable
from stopline.export.bundle import Exported, ExportSettings, export_bundle, extended_bundle
from stopline.export.contract import ContractSettings
from stopline.export.families import FAMILIES
from stopline.export.raw import HW
from stopline.export.variants import OnStep
from stopline.runtime.arrays import Image


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
@variant_options
@click.option("--name", help="Of the bundle [that of -o].")
@click.option("--notes", type=click.Path(path_type=Path), help="Markdown to end the model card.")
@click.option("--source-name", help="What an ONNX file is, and who made it.")
@click.option("--licence", help="Its licence.")
@click.option("--commercial/--non-commercial", default=None, help="What that licence allows.")
@click.option("--require-shippable", is_flag=True, help="Fail if a source is non-commercial.")
@click.option("--json", type=click.Path(path_type=Path), help="Write a report; - is stdout.")
def command(**options: Any) -> None:
    """Make a bundle of SOURCE: a checkpoint of `stopline train`, or an ONNX file of others.

    The bundle appears only if it finds the same boxes as its source, and each variant only if it
    keeps 99 % of FP32's AP. SOURCE may be a bundle too, which is given more variants. An ONNX
    file of unknown licence is exported, and marked as not to be shipped.
    """
    asked = Asked.taken_from(options)
    wanted = Wanted(**options)
    if wanted.json is not None and wanted.json != Path("-"):
        refuse_unwritable(wanted.json)
    with steps(f"exporting {wanted.source}") as on_step:
        found = find_source(wanted)
        exported = _exported(found, wanted, asked, on_step)
    family = found.detector.family.name if isinstance(found, Found) else None
    _give(exported, wanted, family)


def _exported(
    found: Found | FoundBundle, wanted: Wanted, asked: Asked, on_step: OnStep
) -> Exported:
    images, labelled = _evidence(wanted)
    has_images = wanted.images is not None or labelled is not None
    settings = ExportSettings(
        labelled=labelled,
        where=str(wanted.images or "rendered streets"),
        variants=variants_settings(asked, labelled, has_images=has_images),
        on_step=on_step,
    )
    if isinstance(found, FoundBundle):
        return extended_bundle(wanted.output, found.bundle, images, settings)
    contract = ContractSettings(wanted.input_hw, wanted.batch)
    settings = replace(settings, contract=contract, source=found.run)
    return export_bundle(wanted.output, found.detector, found.about, images, settings)


def _evidence(wanted: Wanted) -> tuple[list[Image], CocoSet | None]:
    """What to compare on, and labels if there are any."""
    if wanted.data is None:
        return pictures(wanted.images), None
    labelled = read_coco(wanted.data, wanted.images or wanted.data.parent)
    return [load_image(one) for one in spread(labelled.images)], labelled


def _give(exported: Exported, wanted: Wanted, family: str | None) -> None:
    console = given(as_json(exported, wanted.output, family), wanted.json)
    console.print(table(exported, wanted.output, family))
