"""A detector of two quantized convolutions in the graph contract, whole or with one spoilt."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

H, W, CELL, K = 64, 96, 8, 50
node = helper.make_node


def quantized_tiny(spoilt: str | None = None) -> ModelProto:
    """`spoilt` names a layer, "net/one" or "net/two", whose input is in asymmetric uint8."""
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[0:H:CELL, 0:W:CELL]
    grid = np.stack([xs, ys, xs + CELL, ys + CELL], -1).reshape(-1, 4).astype(np.float32)
    constants: dict[str, NDArray[Any]] = {
        "grid": grid,
        "k": np.array([K], np.int64),
        "flat": np.array([0, -1], np.int64),
        "zero": np.array(0, np.int64),
        **_weights("net/one", rng.integers(-127, 128, (4, 3, CELL, CELL), np.int8)),
        **_weights("net/two", rng.integers(-127, 128, (1, 4, 1, 1), np.int8)),
    }
    nodes = [
        node("Cast", ["frames"], ["float"], "prepare/cast", to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["nchw"], "prepare/turn", perm=[0, 3, 1, 2]),
        *_layer("net/one", "nchw", 1.0, spoilt, constants, strides=[CELL, CELL]),
        node("Relu", ["net/one/out"], ["net/relu"], "net/relu"),
        *_layer("net/two", "net/relu", 100.0, spoilt, constants),
        node("Sigmoid", ["net/two/out"], ["sure"], "decode/sigmoid"),
        node("Reshape", ["sure", "flat"], ["flattened"], "decode/flat"),
        node("TopK", ["flattened", "k"], ["scores", "where"], "decode/top", axis=1),
        node("Gather", ["grid", "where"], ["boxes"], "decode/boxes", axis=0),
        node("Mul", ["where", "zero"], ["classes"], "decode/classes"),
    ]
    return _model(nodes, constants)


def quantized_layers(model: ModelProto) -> list[str]:
    """The convolutions whose inputs are dequantized."""
    dequantized = {
        name for one in model.graph.node if one.op_type == "DequantizeLinear" for name in one.output
    }
    return [
        one.name
        for one in model.graph.node
        if one.op_type == "Conv" and dequantized & set(one.input)
    ]


def _weights(name: str, weight: NDArray[np.int8]) -> dict[str, NDArray[Any]]:
    scales = np.linspace(1e-4, 2e-4, weight.shape[0]).astype(np.float32)
    zeros = np.zeros(weight.shape[0], np.int8)
    return {f"{name}/w": weight, f"{name}/w/scale": scales, f"{name}/w/zero": zeros}


def _layer(
    name: str,
    source: str,
    scale: float,
    spoilt: str | None,
    constants: dict[str, NDArray[Any]],
    **conv: Any,
) -> list[NodeProto]:
    asymmetric = name == spoilt
    constants[f"{name}/scale"] = np.array(scale, np.float32)
    constants[f"{name}/zero"] = np.array(3, np.uint8) if asymmetric else np.array(0, np.int8)
    about = [f"{name}/scale", f"{name}/zero"]
    weight = [f"{name}/w", f"{name}/w/scale", f"{name}/w/zero"]
    inputs = [f"{name}/dequantized", f"{name}/w/dequantized"]
    return [
        node("QuantizeLinear", [source, *about], [f"{name}/quantized"], f"{name}/q"),
        node("DequantizeLinear", [f"{name}/quantized", *about], inputs[:1], f"{name}/dq"),
        node("DequantizeLinear", weight, inputs[1:], f"{name}/w/dq", axis=0),
        node("Conv", inputs, [f"{name}/out"], name, **conv),
    ]


def _model(nodes: list[NodeProto], constants: dict[str, NDArray[Any]]) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "quantized",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", H, W, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["n", K, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", K]),
            helper.make_tensor_value_info("classes", TensorProto.INT64, ["n", K]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model
