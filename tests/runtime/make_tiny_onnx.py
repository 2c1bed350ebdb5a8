"""Writes tiny.onnx: a whole detector in the graph contract that finds red things.

The light environment has no onnx package, so the file (2 kB) is committed beside this script.
Each 8x8 cell of a 64x96 input is a box; its score is how much redder than anything else it is.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

H, W, CELL, K = 64, 96, 8, 50


def constants() -> list[onnx.TensorProto]:
    ys, xs = np.mgrid[0:H:CELL, 0:W:CELL]
    grid = np.stack([xs, ys, xs + CELL, ys + CELL], -1).reshape(-1, 4).astype(np.float32)
    named: dict[str, NDArray[Any]] = {
        "grid": grid,
        "red": np.array([-0.5, -0.5, 1.0], np.float32).reshape(1, 3, 1, 1) / 255,
        "k": np.array([K], np.int64),
        "flat": np.array([0, -1], np.int64),
        "channel": np.array([1], np.int64),
        "low": np.array(0, np.float32),
        "high": np.array(1, np.float32),
        "zero": np.array(0, np.int64),
    }
    return [numpy_helper.from_array(value, name) for name, value in named.items()]


def nodes() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Mul", ["nchw", "red"], ["weighed"]),
        node("ReduceSum", ["weighed", "channel"], ["redness"], keepdims=1),
        node("Clip", ["redness", "low", "high"], ["clipped"]),
        node("AveragePool", ["clipped"], ["cells"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        node("Reshape", ["cells", "flat"], ["flattened"]),
        node("TopK", ["flattened", "k"], ["scores", "where"], axis=1),
        node("Gather", ["grid", "where"], ["boxes"], axis=0),
        node("Mul", ["where", "zero"], ["classes"]),
    ]


def main() -> None:
    graph = helper.make_graph(
        nodes(),
        "red",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", H, W, 3])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["n", K, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", K]),
            helper.make_tensor_value_info("classes", TensorProto.INT64, ["n", K]),
        ],
        constants(),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    Path(__file__).with_name("tiny.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
