"""`stopline verify`: whether a bundle answers here as it did where it was exported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import click
import msgspec
from rich.console import Console

from stopline.cli.report import given
from stopline.cli.verify_table import as_json, not_run, table
from stopline.devices.coco import read_coco
from stopline.devices.fidelity import Evidence, evidence_of
from stopline.devices.pictures import pictures
from stopline.devices.verification import Verification, VerifySettings, verified
from stopline.devices.whole_file import refuse_unwritable, write_whole
from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.manifest import Precision
from stopline.runtime.selftest import read_selftest

A_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class _Wanted:
    """The options of the command."""

    precision: Precision | None
    backend: str | None
    data: Path | None
    images: Path | None
    json: Path | None
    bisect: Path | None


@click.command(name="verify")
@click.argument("bundle", default="road-nano")
@click.option("--precision", type=click.Choice(get_args(Precision)), help="Only this variant.")
@click.option("--backend", help="Only this backend, `exact` for the graph as it is written.")
@click.option("--data", type=A_PATH, help="Labels, COCO JSON: the gate of `export` again, here.")
@click.option("--images", type=A_PATH, help="Folder of images [that of --data, else streets].")
@click.option("--json", type=A_PATH, help="Write the findings; - is stdout.")
@click.option("--bisect", type=A_PATH, help="Folder for tables and pictures of where they part.")
def command(bundle: str, **options: Any) -> None:
    """Check every byte of BUNDLE, run its self-test, and compare its variants on this machine.

    Exits 0 only if every variant answers as it did where it was exported. What this CPU's integer
    kernels make of INT8 is shown beside what the graph says, and decides nothing unless `run`
    would take it.
    """
    wanted = _Wanted(**options)
    if wanted.json is not None and wanted.json != Path("-"):
        refuse_unwritable(wanted.json)
    opened = open_bundle(bundle)
    test, evidence = read_selftest(opened), _evidence(wanted)
    settings = VerifySettings(wanted.precision, wanted.backend)
    with _status(f"verifying {bundle}") as on_step:
        found = verified(opened, test, evidence, settings, on_step)
    _give(found, opened, wanted)
    if wanted.bisect is not None:
        _bisect(opened, evidence, wanted.bisect)
    if not found.passed:
        raise click.exceptions.Exit(1)


def _evidence(wanted: _Wanted) -> Evidence:
    if wanted.data is not None:
        return evidence_of(read_coco(wanted.data, wanted.images or wanted.data.parent))
    return Evidence(pictures(wanted.images), str(wanted.images or "rendered streets"))


def _give(found: Verification, bundle: Bundle, wanted: _Wanted) -> None:
    console = given(as_json(found, bundle), wanted.json)
    console.print(table(found, bundle))
    for line in not_run(found):
        console.print(line, markup=False, soft_wrap=True)
    for line in found.failures:
        console.print(f"failed: {line}", markup=False, soft_wrap=True)
    count = len(bundle.manifest.files)
    if found.passed:
        console.print(f"{bundle.path}: {count} files and every variant are what was exported")


def _bisect(bundle: Bundle, evidence: Evidence, folder: Path) -> None:
    """Every other variant against FP32. Needs the libraries of export, which a board has not."""
    from stopline.export.bisect import Side, parted_bundles, picture
    from stopline.export.bisect import table as parting_table

    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True, highlight=False)
    for precision in get_args(Precision)[1:]:
        if precision not in bundle.manifest.variants:
            continue
        side = Side(bundle, cast(Precision, precision))
        parting = parted_bundles(Side(bundle, "fp32"), side, evidence.scenes[:4])
        console.print(f"fp32 and {precision}: {parting}", markup=False, soft_wrap=True)
        console.print(parting_table(parting))
        picture(parting, folder / f"{precision}.png")
        encoded = msgspec.json.format(msgspec.json.encode(parting.as_json()), indent=2)
        write_whole(encoded + b"\n", folder / f"{precision}.json")


@contextmanager
def _status(begins: str) -> Iterator[Callable[[str], None]]:
    with Console(stderr=True).status(begins) as status:
        yield lambda text: status.update(text)
