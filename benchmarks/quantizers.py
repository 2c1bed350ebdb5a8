"""INT8 of the same detector by different quantizers, on the same frames, judged the same way.

    python benchmarks/quantizers.py BUNDLE... --train TRAIN.json --val VAL.json --images DIR \\
        --nncf PYTHON --modelopt PYTHON --work DIR

Each quantizer runs in a process of its own, the two peers in an environment of their own (see
benchmarks/quantizing/). All are given the FP32 graph of the bundle and the same calibration frames,
letterboxed by the runtime, and told to leave `prepare/` and `decode/` in float: without that the
comparison would be about the decode. A file is judged by what is read from it, and by the AP it has
through the runtime: in Q/DQ arithmetic, and in ONNX Runtime's integer kernels where it uses any.
What was made and measured is kept in the work folder, so that a run that was cut off goes on where
it was.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click
import numpy as np
import onnx
from quantizing.judging import LOOKED_AT, judged
from quantizing.recipes import Recipe, Sets, recipes

from stopline.devices.coco import read_coco
from stopline.export.quantize.calibration import CalibrationSet, calibration_set
from stopline.export.quantize.int8 import int8_model
from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.manifest import Precision

Make: TypeAlias = Callable[[Path], dict[str, Any]]

HERE = Path(__file__).parent / "quantizing"
COLUMNS = (
    "quantizer",
    "AP",
    "of FP32",
    "person",
    "stop sign",
    "AP in ONNX Runtime's kernels",
    "INT8 MACs in the graph",
    "in TensorRT's engine",
    "MB",
    "s",
)


def without(coco: dict[str, Any], sources: Sequence[str]) -> dict[str, Any]:
    """A labelled set less the images of some sources."""
    images = [image for image in coco["images"] if image.get("source") not in sources]
    kept = {image["id"] for image in images}
    labels = [label for label in coco["annotations"] if label["image_id"] in kept]
    return {**coco, "images": images, "annotations": labels}


def made(bundle: Bundle, recipe: Recipe, python: str, frames: Path, out: Path) -> dict[str, Any]:
    """Run a quantizer; what it says of itself, or why it failed."""
    copy = out.with_suffix(".fp32.onnx")  # one of them writes into the file that it is given
    copy.write_bytes(bundle.variant_path("fp32").read_bytes())
    words = [str(copy), str(frames), str(out), json.dumps(recipe.settings)]
    command = [python, str(HERE / recipe.script), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (out.with_suffix(".log")).write_text(done.stdout + done.stderr)
    if done.returncode != 0 or not out.exists():
        return {"failed": (done.stderr.strip() or "no file").splitlines()[-1][:200]}
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def rows_of(
    bundle: Bundle, sets: Sets, pythons: dict[str, str], only: Sequence[str], work: Path
) -> Iterator[dict[str, Any]]:
    """One for each file that is known already, or wanted."""
    work.mkdir(parents=True, exist_ok=True)
    for name, make in jobs(bundle, sets, pythons, work):
        stem = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
        out, kept = work / f"{stem}.onnx", work / f"{stem}.json"
        if not kept.exists():
            if not any(word in name for word in ("FP32", *(only or [""]))):
                continue
            row = {"bundle": bundle.manifest.name, "name": name, **make(out)}
            if "failed" not in row:
                row |= judged(bundle, onnx.load(out), sets.val, work)
            kept.write_text(json.dumps(row, indent=2) + "\n")
            click.echo(f"{name}: measured")
        yield json.loads(kept.read_text())


def jobs(
    bundle: Bundle, sets: Sets, pythons: dict[str, str], work: Path
) -> Iterator[tuple[str, Make]]:
    """What to call a file, and what writes it: FP32, every recipe, ours, and what is shipped."""
    frames = work / "frames.npy"
    calibration = calibration_set(sets.train, bundle.manifest.input, apart_from=sets.val)
    np.save(frames, calibration.frames)
    yield "FP32", partial(_given, bundle, "fp32")
    for recipe in recipes(bundle, sets):
        if recipe.by in pythons:
            yield recipe.name, partial(made, bundle, recipe, pythons[recipe.by], frames)
    yield "ours, without a search", partial(_ours, bundle, calibration)
    if "int8" in bundle.manifest.variants:
        yield "ours, as shipped", partial(_given, bundle, "int8")


def _given(bundle: Bundle, precision: Precision, out: Path) -> dict[str, Any]:
    out.write_bytes(bundle.variant_path(precision).read_bytes())
    return {"version": bundle.manifest.provenance.stopline, "seconds": None}


def _ours(bundle: Bundle, calibration: CalibrationSet, out: Path) -> dict[str, Any]:
    started = time.monotonic()
    made = int8_model(onnx.load(bundle.variant_path("fp32")), calibration)
    out.write_bytes(made.model.SerializeToString())
    return {"seconds": time.monotonic() - started, "version": "stopline"}


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Markdown."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    whole = rows[0]
    for row in rows:
        if "failed" in row:
            yield f"| {row['name']} | failed: {row['failed']} ||||||||"
            continue
        exact, fp32 = row["exact"], whole["exact"]
        shares = [exact[name] / fp32[name] for name in ("AP", *LOOKED_AT)]
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.0f}"
        macs = "?" if row["int8_macs"] is None else f"{row['int8_macs']:.1%}"
        cells = [
            row["name"],
            f"{exact['AP']:.4f}",
            *(f"{share:.1%}" for share in shares),
            f"{row['onnxruntime']['AP']:.4f}" if row["in_bytes"] else "in float",
            macs,
            f"{row['engine_macs']:.1%}" if isinstance(row["engine_macs"], float) else "no engine",
            f"{row['bytes'] / 1e6:.1f}",
            seconds,
        ]
        yield f"| {' | '.join(cells)} |"


@click.command()
@click.argument("bundles", nargs=-1, required=True)
@click.option("--train", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--val", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--images", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--nncf", help="Interpreter of the environment with nncf.")
@click.option("--modelopt", help="Interpreter of the environment with nvidia-modelopt[onnx].")
@click.option("--only", multiple=True, help="Recipes whose name has this in it.")
@click.option("--without", multiple=True, default=("camvid",), help="Sources not to calibrate on.")
@click.option("--work", required=True, type=click.Path(path_type=Path))
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(bundles: tuple[str, ...], **typed: Any) -> None:
    """Print a table for each of BUNDLES."""
    typed["work"].mkdir(parents=True, exist_ok=True)
    labels = typed["work"].absolute() / typed["train"].name
    labels.write_text(json.dumps(without(json.loads(typed["train"].read_text()), typed["without"])))
    train, val = (read_coco(file, typed["images"]) for file in (labels, typed["val"]))
    sets = Sets(train, val, labels, typed["images"])
    pythons = {"ours": sys.executable, "nncf": typed["nncf"], "modelopt": typed["modelopt"]}
    pythons = {name: python for name, python in pythons.items() if python}
    every = []
    for bundle in map(open_bundle, bundles):
        work = typed["work"].absolute() / bundle.manifest.name
        rows = list(rows_of(bundle, sets, pythons, typed["only"], work))
        every.extend(rows)
        click.echo(f"\n{bundle.manifest.name}, {len(val.images)} images\n")
        click.echo("\n".join(table(rows)))
    if typed["json_path"] is not None:
        typed["json_path"].write_text(json.dumps(every, indent=2) + "\n")


if __name__ == "__main__":
    main()
