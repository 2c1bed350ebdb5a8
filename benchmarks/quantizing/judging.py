"""What a file is, and what it finds."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import onnx
import onnxruntime
from onnx import ModelProto

from stopline.devices.coco import CocoSet
from stopline.devices.engines.layer_report import nodes_computed_in
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings, build_plan
from stopline.devices.evaluation import MIN_SCORE, EvaluationSettings, evaluate
from stopline.export.quantize.layers import layers
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Variant

BACKENDS = ("exact", "onnxruntime")
LOOKED_AT = ("person", "stop sign")
MOVES = ("MaxPool", "Resize", "Reshape", "Slice", "Transpose", "Split")


def judged(bundle: Bundle, model: ModelProto, val: CocoSet, work: Path) -> dict[str, Any]:
    """What is read from a file, and what it finds."""
    encoded = model.SerializeToString()
    fp32 = onnx.load(bundle.variant_path("fp32"))
    found: dict[str, Any] = {
        "bytes": len(encoded),
        "int8_macs": int8_share(fp32, model),
        "engine_macs": in_engine(fp32, model),
    }
    only = {"int8": Variant(file="int8.onnx", precision="int8")}
    manifest = msgspec.structs.replace(bundle.manifest, variants=only)
    variant = write_bundle(work / "judged", manifest, {"int8.onnx": encoded})
    found["in_bytes"] = convolutions_in_bytes(variant)
    for backend in BACKENDS if found["in_bytes"] else BACKENDS[:1]:
        settings = DetectorSettings(backend, "int8", MIN_SCORE, threads=1)
        with Detector(variant, settings=settings) as detector:
            measured = evaluate(detector, val, EvaluationSettings(resamples=0))
        classes = {name: measured.classes[name].AP for name in LOOKED_AT}
        found[backend] = {"AP": measured.AP, "AP50": measured.AP50, **classes}
    return found


def convolutions_in_bytes(bundle: Bundle) -> int:
    """How many ONNX Runtime multiplies in integers; with none, its answer is that of `exact`."""
    with tempfile.TemporaryDirectory() as scratch:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = f"{scratch}/optimised.onnx"
        file = str(bundle.variant_path("int8"))
        onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(f"{scratch}/optimised.onnx").graph.node
    return sum(node.op_type == "QLinearConv" for node in nodes)


def int8_share(fp32: ModelProto, variant: ModelProto) -> float | None:
    """Of the multiply-accumulates of `net/`, those between dequantized operands.

    Some quantizers put Q/DQ before a Concat and not behind it, so operands are followed through
    what only moves them. Layers are told by their names; None if the quantizer has changed those.
    """
    int8: set[str] = set()
    for node in variant.graph.node:  # in topological order
        moved = node.op_type in MOVES and node.input[0] in int8
        moved |= node.op_type == "Concat" and set(node.input) <= int8
        if node.op_type == "DequantizeLinear" or moved:
            int8.update(node.output)
    inputs = {node.name: node.input for node in variant.graph.node}
    every = layers(fp32)
    if any(layer.name not in inputs for layer in every):
        return None
    macs = [one.macs for one in every if set(inputs[one.name][:2]) <= int8]
    return sum(macs) / sum(one.macs for one in every)


def in_engine(fp32: ModelProto, variant: ModelProto) -> float | str:
    """The share of MACs whose kernel takes INT8 in a real TensorRT; else why it has no engine."""
    try:
        plan = build_plan(variant.SerializeToString(), BuildSettings())
    except EngineError as error:
        return str(error)[:200]
    in_int8 = nodes_computed_in("Int8", plan.layers)
    every = layers(fp32)
    return sum(one.macs for one in every if one.name in in_int8) / sum(one.macs for one in every)
