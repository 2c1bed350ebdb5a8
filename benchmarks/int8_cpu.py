"""INT8 on this CPU against FP32: time, kernels, and whether the answer is right.

    python benchmarks/int8_cpu.py BUNDLE --data VAL.json --images DIR [--int8 FILE.onnx]

FILE is another INT8 graph of the same detector, such as one of benchmarks/quantizers.py. Each
backend runs FP32, the INT8 graph as it is shipped (int8 by int8, which TensorRT wants) and the
same with activations in uint8, zero point 128: the same numbers, in the type that x86 multiplies.
They take turns on every image, A B C A B C, and the time is that of the engine alone; a ratio is
the median of the ratios of single images. The answer is compared with that of `exact`, which is
Q/DQ arithmetic; AP is on a few images, so look at its collapse and not at its last digit.
"""

import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from stopline.devices.coco import CocoSet, load_image, read_coco
from stopline.devices.confusion import iou_matrix
from stopline.devices.evaluation import MIN_SCORE, EvaluationSettings, evaluate
from stopline.runtime.backends.cpu import read_cpu
from stopline.runtime.bundle import Bundle, open_bundle, write_bundle
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Variant

BACKENDS = ("onnxruntime", "openvino")
USED_FROM, SAME_IOU = 0.3, 0.9
WARM_UP = 3  # images


def in_uint8(model: ModelProto) -> ModelProto | None:
    """The same graph with activations 0..255 around 128 in place of -128..127 around 0.

    None if it has them already.
    """
    written = ModelProto()
    written.CopyFrom(model)
    nodes = written.graph.node
    quantized = {node.output[0] for node in nodes if node.op_type == "QuantizeLinear"}
    zeros = {node.input[2] for node in nodes if quantized & {node.input[0], node.output[0]}}
    of_activations = [one for one in written.graph.initializer if one.name in zeros]
    if any(one.data_type == TensorProto.UINT8 for one in of_activations):
        return None
    for one in of_activations:
        shifted = (numpy_helper.to_array(one).astype(np.int16) + 128).astype(np.uint8)
        one.CopyFrom(numpy_helper.from_array(shifted, one.name))
    return written


def alone(bundle: Bundle, model: ModelProto, where: Path) -> Bundle:
    """A bundle of that graph and nothing else."""
    only = {"int8": Variant(file="int8.onnx", precision="int8")}
    manifest = msgspec.structs.replace(bundle.manifest, variants=only)
    return write_bundle(where, manifest, {"int8.onnx": model.SerializeToString()})


def kernels(bundle: Bundle, backend: str, threads: int) -> str:
    """How many convolutions are multiplied in integers, as the backend itself says."""
    file = str(bundle.variant_path("int8"))
    if backend == "openvino":
        import openvino

        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        graph = openvino.Core().compile_model(file, "CPU", options).get_runtime_model()
        said = [op.get_rt_info() for op in graph.get_ops()]
        types = Counter(
            one["runtimePrecision"].astype(str)
            for one in said
            if one["layerType"].astype(str) == "Convolution"
        )
        return ", ".join(f"{count} in {name}" for name, count in types.most_common())
    import onnxruntime

    with tempfile.TemporaryDirectory() as scratch:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = f"{scratch}/optimised.onnx"
        onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        ops = Counter(node.op_type for node in onnx.load(f"{scratch}/optimised.onnx").graph.node)
    names = {"Conv": "f32", "QLinearConv": "i8"}
    return ", ".join(f"{ops[op]} in {name}" for op, name in names.items() if ops[op])


def in_turn(detectors: Sequence[Detector], images: Sequence[Any]) -> list[list[float]]:
    """Milliseconds of the engine of each detector, for each image."""
    took: list[list[float]] = [[] for _ in detectors]
    for at, image in enumerate([*images[:WARM_UP], *images]):
        for detector, of_one in zip(detectors, took, strict=True):
            spent = detector.detect([image]).stages_ns["engine"] / 1e6
            if at >= WARM_UP:
                of_one.append(spent)
    return took


def agreement(some: Sequence[Detections], others: Sequence[Detections]) -> float:
    """Of the boxes that `others` report, the share that `some` have at IoU 0.9, at any score."""
    boxes = found = 0
    for one, other in zip(some, others, strict=True):
        used = other.scores >= USED_FROM
        same = other.classes[:, None] == one.classes[None, :]
        twin = (same & (iou_matrix(other.boxes, one.boxes) >= SAME_IOU)).any(axis=1)
        boxes, found = boxes + int(used.sum()), found + int(twin[used].sum())
    return found / boxes if boxes else 0.0


def measured(files: dict[str, Bundle], backend: str, few: CocoSet, threads: int) -> dict[str, Any]:
    """The figures of one backend, for each of the files."""
    images = [load_image(image) for image in few.images]
    opened = {
        name: Detector(bundle, settings=DetectorSettings(backend, "int8", MIN_SCORE, None, threads))
        for name, bundle in files.items()
    }
    took = dict(zip(opened, in_turn(list(opened.values()), images), strict=True))
    report: dict[str, Any] = {}
    for name, bundle in files.items():
        settings = DetectorSettings("exact", "int8", MIN_SCORE, None, threads)
        with Detector(bundle, settings=settings) as exact:
            rightly = [exact(image) for image in images]
        fp32 = zip(took[name], took["fp32"], strict=True)
        report[name] = {
            "ms": statistics.median(took[name]),
            "of_fp32": statistics.median(a / b for a, b in fp32),
            "convolutions": kernels(bundle, backend, threads),
            "as_exact": agreement([opened[name](image) for image in images], rightly),
            "AP": evaluate(opened[name], few, EvaluationSettings(resamples=0)).AP,
        }
    for detector in opened.values():
        detector.close()
    return report


@click.command()
@click.argument("bundle", default="road-nano")
@click.option("--int8", "int8_file", type=click.Path(exists=True, path_type=Path))
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--images", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--limit", default=40, show_default=True, help="Images, spread over the set.")
@click.option("--threads", default=1, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(bundle: str, int8_file: Path | None, **typed: Any) -> None:
    """Print a row for each backend and graph."""
    opened, every = open_bundle(bundle), read_coco(typed["data"], typed["images"])
    rows = np.linspace(0, len(every.images) - 1, typed["limit"]).round().astype(int)
    few = replace(every, images=tuple(every.images[row] for row in rows))
    int8 = onnx.load(int8_file or opened.variant_path("int8"))
    graphs = {"fp32": onnx.load(opened.variant_path("fp32")), "int8": int8}
    if (shifted := in_uint8(int8)) is not None:
        graphs["int8, uint8 activations"] = shifted
    click.echo(f"{read_cpu().model}: {read_cpu().against_int8 or 'INT8 may pay off'}")
    with tempfile.TemporaryDirectory() as scratch:
        files = {
            name: alone(opened, graph, Path(scratch) / str(at))
            for at, (name, graph) in enumerate(graphs.items())
        }
        report = {one: measured(files, one, few, typed["threads"]) for one in BACKENDS}
    click.echo("| backend | graph | ms | of FP32 | convolutions | boxes as exact | AP |")
    click.echo("|---|---|---|---|---|---|---|")
    for backend, graph, row in ((b, g, r) for b, rows in report.items() for g, r in rows.items()):
        click.echo(
            f"| {backend} | {graph} | {row['ms']:.1f} | {row['of_fp32']:.2f} "
            f"| {row['convolutions']} | {row['as_exact']:.1%} | {row['AP']:.3f} |"
        )
    if typed["json_path"] is not None:
        typed["json_path"].write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
