"""The INT8 variant of a bundle: the default choice of float layers, or one that was searched."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import ModelProto

from stopline.devices.coco import CocoSet
from stopline.export.gate import GateError
from stopline.export.quantize.calibration import (
    ENOUGH,
    CalibrationSet,
    calibration_from_folder,
    calibration_set,
)
from stopline.export.quantize.int8 import Int8Recipe, default_float_layers, prepared
from stopline.export.quantize.layers import int8_share
from stopline.export.quantize.pareto import pareto_png
from stopline.export.quantize.score import ApShare
from stopline.export.quantize.search import SearchSettings, search
from stopline.export.quantize.selection import FEWEST, selection_set
from stopline.export.variants import Int8Made, MakeInt8, OnStep
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Input

PARETO = "int8-search.png"


@dataclass(frozen=True)
class Int8Asked:
    """`training` gives the ranges; with labels it also gives images to choose float layers on.

    `work` keeps the trials of a search, so that it goes on where it was interrupted.
    """

    training: CocoSet | Path
    apart_from: CocoSet | None = None  # the set of the gate
    images: int = ENOUGH
    wanted: float = 0.99  # of FP32's AP
    least_int8: float = 0.0  # share of the multiply-accumulates
    search: bool = False  # even if the default choice is good enough
    work: Path | None = None
    report: Path | None = None  # a folder for the picture of a search


def int8_maker(asked: Int8Asked) -> MakeInt8:
    """What `with_variants` needs for INT8."""
    return lambda bundle, on_step: _made(bundle, asked, on_step)


def _made(bundle: Bundle, asked: Int8Asked, on_step: OnStep) -> Int8Made:
    """Raise ExportError for images that give no ranges, GateError if no choice is good enough."""
    model = onnx.load(bundle.variant_path("fp32"))
    calibration = _calibration(asked, bundle.manifest.input)
    recipe = prepared(model, calibration, on_step=lambda text, done: on_step(f"int8: {text}", done))
    written = recipe.model(default_float_layers(model))
    score = _score(bundle, asked, calibration)
    if score is None:
        _refuse_without_search(written, asked)
    elif asked.search or not _good_enough(written, score, asked):
        written = _searched(recipe, score, asked, on_step)
    return Int8Made(written, int8_share(written), calibration.about)


def _calibration(asked: Int8Asked, shape: Input) -> CalibrationSet:
    if isinstance(asked.training, Path):
        return calibration_from_folder(asked.training, shape, asked.images, asked.apart_from)
    return calibration_set(asked.training, shape, asked.images, asked.apart_from)


def _score(bundle: Bundle, asked: Int8Asked, calibration: CalibrationSet) -> ApShare | None:
    """On images that are neither calibration nor the gate's; None where there are none."""
    training = asked.training
    if isinstance(training, Path):
        return None
    if len(training.images) - len(calibration.files) < FEWEST and not asked.search:
        return None
    return ApShare(bundle, selection_set(training, calibration))


def _refuse_without_search(written: ModelProto, asked: Int8Asked) -> None:
    share = int8_share(written)
    if asked.search or share < asked.least_int8:
        raise GateError(
            f"int8 refused: {share:.1%} of the multiply-accumulates are INT8 by default, wanted "
            f"{asked.least_int8:.0%}; a search for better takes labels: --calibrate COCO.json"
        )


def _good_enough(written: ModelProto, score: ApShare, asked: Int8Asked) -> bool:
    return int8_share(written) >= asked.least_int8 and score(written) >= asked.wanted


def _searched(recipe: Int8Recipe, score: ApShare, asked: Int8Asked, on_step: OnStep) -> ModelProto:
    settings = SearchSettings(asked.wanted, asked.least_int8)
    with _folder(asked.work) as work:
        found = search(
            recipe, score, settings, work, lambda text, done: on_step(f"int8: {text}", done)
        )
    if asked.report is not None:
        pareto_png(found, asked.report / PARETO)
    if not found.reached:
        raise GateError(f"int8 refused: {found.why}")
    return recipe.model(found.float_layers)


@contextmanager
def _folder(said: Path | None) -> Iterator[Path]:
    if said is not None:
        yield said
        return
    with tempfile.TemporaryDirectory(prefix="stopline-search-") as scratch:
        yield Path(scratch)
