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
from stopline.export.quantize.int8 import LEAST_INT8, Int8, Int8Settings, int8_model
from stopline.export.quantize.mixed import mixed_precision
from stopline.export.quantize.pareto import pareto_png
from stopline.export.quantize.score import agreement
from stopline.export.quantize.search import SearchSettings
from stopline.export.quantize.selection import selection_set
from stopline.export.raw import ExportError
from stopline.export.variants import Int8Made, MakeInt8, OnStep
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Input

PARETO = "int8-search.png"
CHOSEN_ON = 64  # images of a search


@dataclass(frozen=True)
class Int8Asked:
    """`training` gives the ranges; with labels also the images that a search chooses on.

    `work` keeps the trials of a search, so that it goes on where it was interrupted. Without one
    the layers that are kept in float are chosen by noise, in a minute.
    """

    training: CocoSet | Path
    apart_from: CocoSet | None = None  # the set of the gate
    images: int = ENOUGH
    wanted: float = 0.995  # of FP32, where a search ends: chance must not push it below the gate
    least_int8: float | None = None  # share of the multiply-accumulates; None leaves it to accuracy
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

    if asked.search:
        made = _searched(bundle, calibration, asked, told)
    else:
        goes_to = LEAST_INT8 if asked.least_int8 is None else asked.least_int8
        made = int8_model(model, calibration, Int8Settings(least_int8=goes_to), told)
    if asked.least_int8 is not None and made.int8_macs < asked.least_int8:
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
) -> Int8:
    """On images of the training split that are neither calibration nor the gate's.

    By agreement with FP32: AP against so few labels is mostly chance, and cannot choose.
    """
    if isinstance(asked.training, Path):
        raise ExportError("a search takes a COCO file to choose images by: --calibrate COCO.json")
    score = agreement(bundle, selection_set(asked.training, calibration, CHOSEN_ON))
    settings = SearchSettings(asked.wanted, asked.least_int8 or 0.0)
    model = onnx.load(bundle.variant_path("fp32"))
    with _folder(asked.work) as work:
        made = mixed_precision(model, calibration, score, settings, (work, on_step))
    if asked.report is not None:
        pareto_png(made.found, asked.report / PARETO)
    if not made.found.reached:
        raise GateError(f"int8 refused: {made.found.why}")
    return made.int8


@contextmanager
def _folder(said: Path | None) -> Iterator[Path]:
    if said is not None:
        yield said
        return
    with tempfile.TemporaryDirectory(prefix="stopline-search-") as scratch:
        yield Path(scratch)
