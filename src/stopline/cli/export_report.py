"""What `stopline export` says of the bundle that it wrote: a table and JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from stopline.export.bundle import Exported
from stopline.export.card import shippable_sentence
from stopline.export.variants import Made
from stopline.runtime.manifest import Fidelity


def table(exported: Exported, where: Path, family: str | None) -> Table:
    """One row for each thing that is known."""
    manifest = exported.bundle.manifest
    size = f"{manifest.input.height}x{manifest.input.width}, {manifest.input.resize}"
    rows = {
        "bundle": str(where),
        "family": family or "as the bundle was",
        "input": f"{size}, batch {manifest.input.batch}",
        "gives": f"{manifest.boxes} boxes of {len(manifest.classes)} classes",
        "the same answer": str(exported.parity or "its fp32.onnx is kept as it was"),
        "may be shipped": shippable_sentence(manifest.provenance),
    }
    for made in exported.made:
        rows[made.variant.precision] = "; ".join(_facts(made))
    if [made.variant.precision for made in exported.made] == ["fp32"]:
        rows["fp16, int8"] = "not made: --images or --data, and --calibrate, give what they take"
    grid = Table(show_header=False, box=None)
    for name, value in rows.items():
        grid.add_row(name, Text(value))
    return grid


def as_json(exported: Exported, where: Path, family: str | None) -> dict[str, Any]:
    """What `--json` writes. A figure that was not measured is null."""
    manifest = exported.bundle.manifest
    return {
        "bundle": str(where),
        "name": manifest.name,
        "family": family,
        "input": msgspec.to_builtins(manifest.input),
        "boxes": manifest.boxes,
        "classes": list(manifest.classes),
        "parity": asdict(exported.parity) if exported.parity else None,
        "shippable": manifest.provenance.shippable,
        "sources": msgspec.to_builtins(manifest.provenance.sources),
        "accuracy": msgspec.to_builtins(manifest.variants["fp32"].accuracy),
        "variants": {made.variant.precision: _variant(made) for made in exported.made},
        "files": msgspec.to_builtins(manifest.files),
    }


def _variant(made: Made) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(made.variant),
        "bytes": len(made.graph),
        "not_shown": list(made.verdict.not_shown) if made.verdict else [],
        "tensorrt": made.tensorrt,
    }


def _facts(made: Made) -> Iterator[str]:
    variant = made.variant
    yield f"{len(made.graph) / 1e6:.2f} MB"
    if variant.accuracy is not None:
        yield f"AP {variant.accuracy.AP:.3f}, AP50 {variant.accuracy.AP50:.3f}"
    if variant.fidelity is not None:
        yield compared(variant.fidelity)
    if variant.step is not None:
        yield f"against {variant.step.against}: {compared(variant.step)}"
    if variant.int8_macs is not None:
        yield f"{variant.int8_macs:.1%} of multiply-accumulates in INT8"
    if made.verdict and made.verdict.not_shown:
        yield f"not shown: {', '.join(made.verdict.not_shown)}"
    yield f"TensorRT: {made.tensorrt}"


def compared(said: Fidelity) -> str:
    """In a line, with what was measured on how many."""
    boxes = f"{said.matched:.2%} of {said.boxes} boxes match in {said.scenes} images"
    if said.AP_share is None:
        return f"{boxes} ({said.arithmetic})"
    interval = said.AP_interval
    within = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    return (
        f"{said.AP_share:.1%} of its AP{within} on {said.images} images, {boxes} "
        f"({said.arithmetic})"
    )
