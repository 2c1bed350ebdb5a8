"""What `stopline export` is given: a checkpoint of ours, an ONNX file of others, or a bundle."""

import hashlib
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import click
import msgspec

from stopline import __version__
from stopline.export.bundle import About, refuse_unshippable
from stopline.export.classes import class_names
from stopline.export.families import Recognised, recognised
from stopline.export.parity import Run
from stopline.export.raw import HW, ExportError, Raw, images_input, raw_of, read_raw
from stopline.export.sound import refuse_unsound
from stopline.runtime.bundle import BUILT_IN, Bundle, open_bundle
from stopline.runtime.manifest import Provenance, Source

OF_ONNX = ("classes", "source_name", "licence", "commercial")
OF_A_NEW_BUNDLE = (*OF_ONNX, "family", "input_hw", "batch", "name", "notes")


@dataclass(frozen=True)
class Wanted:
    """The options of the command."""

    source: Path
    output: Path
    family: str | None
    input_hw: HW | None
    classes: str | None
    batch: int
    images: Path | None
    data: Path | None
    name: str | None
    notes: Path | None
    source_name: str | None
    licence: str | None
    commercial: bool | None
    require_shippable: bool
    json: Path | None


@dataclass(frozen=True)
class Found:
    """What the source turned out to be, and the torch model that the bundle must equal."""

    detector: Recognised
    about: About
    run: Run | None  # None: the ONNX file itself


@dataclass(frozen=True)
class FoundBundle:
    """A bundle that is to have more variants; its provenance tells of this command too."""

    bundle: Bundle


def find_source(wanted: Wanted) -> Found | FoundBundle:
    """Read the source; raises OSError or ValueError for what cannot be exported."""
    if _is_bundle(wanted.source):
        return _from_bundle(wanted)
    if not wanted.source.is_file():
        raise FileNotFoundError(f"no file {str(wanted.source)!r}: wanted a .pt, .onnx or bundle")
    if wanted.source.suffix == ".onnx":
        return _from_onnx(wanted)
    if wanted.source.suffix == ".pt":
        return _from_checkpoint(wanted)
    raise ExportError(f"{wanted.source} is neither .pt nor .onnx: wanted one of the two")


def _is_bundle(source: Path) -> bool:
    built_in = not source.exists() and (BUILT_IN / source).is_dir()
    return source.is_dir() or source.suffix == ".zip" or built_in


def _from_bundle(wanted: Wanted) -> FoundBundle:
    _refuse_options(wanted, OF_A_NEW_BUNDLE, "is not for a bundle: it says it itself")
    bundle = open_bundle(wanted.source)
    manifest = bundle.manifest
    if wanted.require_shippable:
        refuse_unshippable(About(manifest.name, manifest.classes, manifest.provenance))
    command = f"{manifest.provenance.command} && {_typed()}"
    provenance = msgspec.structs.replace(manifest.provenance, command=command)
    return FoundBundle(
        replace(bundle, manifest=msgspec.structs.replace(manifest, provenance=provenance))
    )


def _refuse_options(wanted: Wanted, options: Sequence[str], why: str) -> None:
    for option in options:
        unsaid = 1 if option == "batch" else None
        if getattr(wanted, option) != unsaid:
            name = {"input_hw": "input"}.get(option, option.replace("_", "-"))
            raise click.UsageError(f"--{name} {why}")


def _from_onnx(wanted: Wanted) -> Found:
    source = Source(
        name=wanted.source_name or wanted.source.name,
        licence=wanted.licence or "unknown",
        # What nobody vouches for may not be shipped.
        commercial=bool(wanted.commercial and wanted.licence),
        sha256=hashlib.sha256(wanted.source.read_bytes()).hexdigest(),
    )
    about = _about(wanted, class_names(wanted.classes or "coco80"), _provenance((source,)))
    raw = read_raw(wanted.source, wanted.input_hw)
    _refuse_unsound(raw)
    return Found(recognised(raw, wanted.family), about, None)


def _from_checkpoint(wanted: Wanted) -> Found:
    _refuse_options(wanted, OF_ONNX, "is for an ONNX file: a checkpoint says it itself")
    try:
        from stopline.export.torch_onnx import raw_onnx_from_torch, torch_runner
        from stopline.train.checkpoint import build_model, load_checkpoint
    except ModuleNotFoundError as error:
        raise ImportError(
            f"no {error.name}, which a checkpoint needs: `pip install 'stopline[train]'` brings it"
        ) from error
    checkpoint = load_checkpoint(wanted.source)
    trained = checkpoint.provenance
    about = _about(wanted, checkpoint.classes, _provenance(trained.sources, trained.command))
    model = build_model(checkpoint)
    input_hw = wanted.input_hw or checkpoint.input_hw
    raw = raw_of(raw_onnx_from_torch(model, input_hw), str(wanted.source))
    _refuse_unsound(raw)
    return Found(recognised(raw, wanted.family), about, torch_runner(model))


def _refuse_unsound(raw: Raw) -> None:
    """Before it is recognised by what it gives. One of open sides is judged at the size it gets."""
    sides = images_input(raw.model, raw.name).type.tensor_type.shape.dim[2:]
    if all(side.dim_value for side in sides):
        refuse_unsound(raw.model)


def _about(wanted: Wanted, classes: tuple[str, ...], provenance: Provenance) -> About:
    name = wanted.name or wanted.output.name.removesuffix(".zip")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise click.UsageError(
            f"{name!r} is no name for a bundle: say one with --name, as in abc-1"
        )
    notes = wanted.notes.read_text(encoding="utf-8") if wanted.notes else ""
    about = About(name, classes, provenance, notes=notes)
    if wanted.require_shippable:
        refuse_unshippable(about)
    return about


def _provenance(sources: tuple[Source, ...], trained_by: str | None = None) -> Provenance:
    exported_by = _typed()
    return Provenance(
        created=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        stopline=__version__,
        command=f"{trained_by} && {exported_by}" if trained_by else exported_by,
        sources=sources,
    )


def _typed() -> str:
    return shlex.join(["stopline", *sys.argv[1:]])
