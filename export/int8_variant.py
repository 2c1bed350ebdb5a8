"""The INT8 variant of a bundle: the default choice of float layers, or one that was searched."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx

from stopline.devices.coco import CocoSet
from stopline.export.gate import GateError
from stopline.export.quantize.calibration import (
    ENOUGH,
    CalibrationSet,
    calibration_from_folder,
    calibration_set,
)
from stopline.export.quantize.int8 import LEAST_INT8, Int8Settings, int8_model, prepared
from stopline.export.quantize.pareto import pareto_png
from stopline.export.quantize.score import ApShare
from stopline.export.quantize.search import SearchSettings, search
from stopline.export.quantize.selection import selection_set
from stopline.export.raw import ExportError
from stopline.export.variants import Int8Made, MakeInt8, OnStep
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Input

PARETO = "int8-search.png"


@dataclass(frozen=True)
class Int8Asked:
    """`training` gives the ranges; with labels also the images that a search chooses on.

    `work` keeps the trials of a search, so that it goes on where it was interrupted. Without one
    the layers that are kept in float are chosen by noise, in a minute.
    """

    training: CocoSet | Path
    apart_from: CocoSet | None = None  # the set of the gate
    images: int = ENOUGH
    wanted: float = 0.99  # of FP32's AP, where a search ends
    least_int8: float = LEAST_INT8  # share of the multiply-accumulates
    search: bool = False
    work: Path | None = None
    report: Path | None = None  # a folder for the picture of a search


def int8_maker(asked: Int8Asked) -> MakeInt8:
    """What `with_variants` needs for INT8."""
    return lambda bundle, on_step: _made(bundle, asked, on_step)


def _made(bundle: Bundle, asked: Int8Asked, on_step: OnStep) -> Int8Made:
    """Raise ExportError for images that give no ranges, GateError if a search ends short of it."""
    model = onnx.load(bundle.variant_path("fp32"))
    calibration = _calibration(asked, bundle.manifest.input)

    def told(text: str, done: float) -> None:
        on_step(f"int8: {text}", done)

    floats = _searched(bundle, calibration, asked, told) if asked.search else None
    # Weights are fitted to the errors of this very choice, so those of the search are made anew.
    settings = Int8Settings(float_layers=floats, least_int8=asked.least_int8)
    made = int8_model(model, calibration, settings, told)
    if made.int8_macs < asked.least_int8:
        raise GateError(
            f"int8 refused: {made.int8_macs:.1%} of the multiply-accumulates can be INT8 without "
            f"depthwise layers and outputs, wanted {asked.least_int8:.0%}: --search tries those too"
        )
    return Int8Made(made.model, made.int8_macs, calibration.about)


def _calibration(asked: Int8Asked, shape: Input) -> CalibrationSet:
    if isinstance(asked.training, Path):
        return calibration_from_folder(asked.training, shape, asked.images, asked.apart_from)
    return calibration_set(asked.training, shape, asked.images, asked.apart_from)


def _searched(
    bundle: Bundle, calibration: CalibrationSet, asked: Int8Asked, on_step: OnStep
) -> frozenset[str]:
    """On images of the training split that are neither calibration nor the gate's."""
    if isinstance(asked.training, Path):
        raise ExportError("a search takes labels to choose by: --calibrate COCO.json")
    score = ApShare(bundle, selection_set(asked.training, calibration))
    recipe = prepared(onnx.load(bundle.variant_path("fp32")), calibration, on_step=on_step)
    settings = SearchSettings(asked.wanted, asked.least_int8)
    with _folder(asked.work) as work:
        found = search(recipe, score, settings, work, on_step)
    if asked.report is not None:
        pareto_png(found, asked.report / PARETO)
    if not found.reached:
        raise GateError(f"int8 refused: {found.why}")
    return frozenset(found.float_layers)


@contextmanager
def _folder(said: Path | None) -> Iterator[Path]:
    if said is not None:
        yield said
        return
    with tempfile.TemporaryDirectory(prefix="stopline-search-") as scratch:
        yield Path(scratch)
