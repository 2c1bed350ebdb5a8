"""A detector's bones, small enough to check by hand, in the graph contract's names."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from stopline.runtime.arrays import Frames

HW = (16, 24)
K = 10
DECODE = {
    "flat": np.array([1, 5, -1]),
    "parts": np.array([4, 1]),
    "last": np.array([-1]),
    "k": np.array([K]),
}
STEM, DEPTHWISE, POINTWISE, HEAD = "net/stem", "net/depthwise", "net/pointwise", "net/head"


@dataclass
class Calibrated:
    """Frames, as a `CalibrationSet` has them."""

    frames: Frames


def scenes(count: int = 8, seed: int = 0) -> Calibrated:
    """Bright and dark blots: neighbours are alike, as in pictures."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, HW[0] // 4, HW[1] // 4, 3), np.uint8)
    blots = coarse.repeat(4, axis=1).repeat(4, axis=2).astype(int)
    return Calibrated(
        np.clip(blots + random.integers(-20, 21, blots.shape), 0, 255).astype(np.uint8)
    )


def net(full: float = 1.0, weights: dict[str, NDArray[np.float32]] | None = None) -> ModelProto:
    """A 3x3 stem with a border, depthwise 3x3, 1x1 and a head; `full` divides the pixels."""
    random = np.random.default_rng(0)
    shapes = {
        STEM: (8, 3, 3, 3),
        DEPTHWISE: (8, 1, 3, 3),
        POINTWISE: (16, 8, 1, 1),
        HEAD: (5, 16, 1, 1),
    }
    drawn = {
        name: random.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    drawn[STEM] *= full / 40
    drawn |= weights or {}
    nodes = [
        helper.make_node(
            "Cast", ["frames"], ["prepare/float"], "prepare/cast", to=TensorProto.FLOAT
        ),
        helper.make_node(
            "Transpose", ["prepare/float"], ["prepare/nchw"], "prepare/nchw", perm=[0, 3, 1, 2]
        ),
        helper.make_node("Div", ["prepare/nchw", "full"], ["prepare/images"], "prepare/images"),
    ]
    flowing = "prepare/images"
    for name, shape in shapes.items():
        pads = [1, 1, 1, 1] if shape[2] == 3 else [0, 0, 0, 0]
        groups = 8 if name == DEPTHWISE else 1
        nodes += _layer(name, flowing, pads=pads, group=groups)
        flowing = f"{name}/silu"
    nodes[-2:] = _decoded()
    fixed = {"full": np.array(full, np.float32)} | DECODE
    fixed |= {f"{name}/weight": weight for name, weight in drawn.items()}
    fixed |= {
        f"{name}/bias": random.normal(0, 0.1, len(weight)).astype(np.float32)
        for name, weight in drawn.items()
    }
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, [1, *HW, 3])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, K]),
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, K, 4]),
        ],
        [numpy_helper.from_array(value, name) for name, value in fixed.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model


def _decoded() -> list[NodeProto]:
    """Four numbers of the head are a box, one is a score; the best K, as the contract has it."""

    def made(op: str, inputs: list[str], outputs: list[str], **said: Any) -> NodeProto:
        return helper.make_node(op, inputs, outputs, f"decode/{outputs[0]}", **said)

    return [
        made("Reshape", [f"{HEAD}/output", "flat"], ["rows"]),
        made("Transpose", ["rows"], ["cells"], perm=[0, 2, 1]),
        made("Split", ["cells", "parts"], ["boxes_of", "logits"], axis=2),
        made("Sigmoid", ["logits"], ["scores_of"]),
        made("ReduceMax", ["scores_of", "last"], ["best"], keepdims=0),
        made("TopK", ["best", "k"], ["scores", "where"]),
        made("Unsqueeze", ["where", "last"], ["at"]),
        made("GatherND", ["boxes_of", "at"], ["boxes"], batch_dims=1),
    ]


def _layer(name: str, flowing: str, pads: list[int], group: int) -> list[NodeProto]:
    output = f"{name}/output"
    inputs = [flowing, f"{name}/weight", f"{name}/bias"]
    return [
        helper.make_node("Conv", inputs, [output], name, pads=pads, group=group),
        helper.make_node("Sigmoid", [output], [f"{name}/sigmoid"], f"{name}/sigmoid"),
        helper.make_node("Mul", [output, f"{name}/sigmoid"], [f"{name}/silu"], f"{name}/silu"),
    ]


def answers(model: ModelProto, tensor: str, frames: Frames) -> NDArray[np.float32]:
    """(n, c, h, w): a tensor of the graph as it is written, nothing fused."""
    opened = ModelProto()
    opened.CopyFrom(model)
    opened.graph.output.append(helper.make_empty_tensor_value_info(tensor))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        opened.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run([tensor], {"frames": each[None]})[0] for each in frames])


def noise_db(variant: ModelProto, reference: ModelProto, tensor: str, frames: Frames) -> float:
    """Signal to noise."""
    wanted, found = (answers(each, tensor, frames) for each in (reference, variant))
    return float(10 * np.log10(np.var(wanted) / np.mean((wanted - found) ** 2)))
