"""How each quantizer is used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from stopline.devices.coco import CocoSet
from stopline.export.quantize.calibration import ENOUGH
from stopline.export.quantize.layers import head_outputs, layers
from stopline.export.quantize.picking import picked
from stopline.runtime.bundle import Bundle

CONTROLLED_ON, RANKED_ON = 48, 12  # training images apart from the calibration set


@dataclass(frozen=True)
class Recipe:
    """`script` is a file of benchmarks/quantizing; `by` names the environment it runs in."""

    name: str
    by: str
    script: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Sets:
    """What is calibrated and judged on."""

    train: CocoSet  # of what the weights may be made from
    val: CocoSet
    labels: Path  # the file of `train`
    images: Path


def recipes(bundle: Bundle, sets: Sets) -> list[Recipe]:
    """The settings of each quantizer that its manual, or our own trials, say are the best."""
    graph = onnx.load(bundle.variant_path("fp32"))
    every = layers(graph)
    heads = sorted(head_outputs(graph))
    careful = sorted({one.name for one in every if one.kind == "depthwise"} | set(heads))
    stem = [one.name for one in every[:3]]
    ort, nncf, modelopt = "onnxruntime_static.py", "nncf_ptq.py", "modelopt_ptq.py"
    control = {
        "bundle": str(bundle.path),
        "labels": str(sets.labels),
        "images": str(sets.images),
        "rows": _apart(sets, CONTROLLED_ON),
        "ranking": RANKED_ON,
        "max_drop": 0.01,
    }
    floats = {"float_layers": careful, "inputs_only": True}
    with_stem = {"float_layers": careful + stem, "inputs_only": True}
    for_cpus = {"method": "Percentile", "float_layers": careful + stem, "for_cpus": True}
    return [
        Recipe("ONNX Runtime, min-max", "ours", ort, {"method": "MinMax", "float_layers": heads}),
        Recipe("ONNX Runtime, entropy; 1", "ours", ort, {"method": "Entropy", **floats}),
        Recipe("ONNX Runtime, 99.999 %; 1", "ours", ort, {"method": "Percentile", **floats}),
        Recipe("ONNX Runtime, 99.999 %; 1, 2", "ours", ort, {"method": "Percentile", **with_stem}),
        Recipe("ONNX Runtime, for x86 CPUs; 1, 2", "ours", ort, for_cpus),
        Recipe("nncf, defaults", "nncf", nncf, {}),
        Recipe("nncf; 1", "nncf", nncf, {"float_layers": careful}),
        Recipe("nncf; 1, 2", "nncf", nncf, {"float_layers": careful + stem}),
        Recipe(
            "nncf, full bias correction; 1",
            "nncf",
            nncf,
            {"fast_bias_correction": False, "float_layers": careful},
        ),
        Recipe("nncf, accuracy control", "nncf", nncf, {"accuracy_control": control}),
        Recipe("ModelOpt, defaults (entropy)", "modelopt", modelopt, {"method": "entropy"}),
        Recipe("ModelOpt; 1", "modelopt", modelopt, {"method": "entropy", "float_layers": careful}),
        Recipe(
            "ModelOpt, Conv only; 1, 2",
            "modelopt",
            modelopt,
            {"method": "entropy", "op_types": ["Conv"], "float_layers": careful + stem},
        ),
    ]


def _apart(sets: Sets, count: int) -> list[int]:
    """Rows of training images for accuracy control, from all over what calibration leaves."""
    left = np.setdiff1d(np.arange(len(sets.train.images)), picked(sets.train.images, ENOUGH))
    return left[np.linspace(0, len(left) - 1, count).round().astype(int)].tolist()
