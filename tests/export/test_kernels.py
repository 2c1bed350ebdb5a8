"""Graphs as a GPU would run them: what is fused costs no memory, what is quantized costs less."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from stopline.export.kernels import kernels_of
from stopline.export.quantize.layers import layers
from stopline.runtime.bundle import open_bundle
from stopline.runtime.manifest import Precision

C, SIDE = 8, 16
MAP = C * SIDE * SIDE  # elements
node = helper.make_node


def graph(
    nodes: list[NodeProto], weights: Mapping[str, tuple[int, ...]], kind: int = 1
) -> ModelProto:
    """Of one input `x` (1, 8, 16, 16) and one output `y`."""
    dtype = np.float16 if kind == TensorProto.FLOAT16 else np.float32
    constants = [
        numpy_helper.from_array(np.ones(shape, dtype), name) for name, shape in weights.items()
    ]
    made = helper.make_graph(
        nodes,
        "kernels",
        [helper.make_tensor_value_info("x", kind, [1, C, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", kind, None)],
        constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def conv(source: str, to: str, weight: str = "w", **how: Any) -> NodeProto:
    return node("Conv", [source, weight], [to], to, pads=[1, 1, 1, 1], **how)


WEIGHT = {"w": (C, C, 3, 3)}


def test_a_graph_without_nodes_has_no_kernel() -> None:
    assert kernels_of(graph([], {})) == ()


def test_a_convolution_reads_its_input_and_weights_and_writes_its_output() -> None:
    (kernel,) = kernels_of(graph([conv("x", "y")], WEIGHT))
    assert (kernel.kind, kernel.precision) == ("dense", "fp32")
    assert kernel.macs == MAP * C * 9
    assert kernel.weight_bytes == C * C * 9 * 4
    assert kernel.activation_bytes == 2 * MAP * 4


def test_half_precision_moves_half() -> None:
    (kernel,) = kernels_of(graph([conv("x", "y")], WEIGHT, TensorProto.FLOAT16))
    assert kernel.precision == "fp16"
    assert kernel.activation_bytes == 2 * MAP * 2


def test_an_activation_is_done_by_the_convolution_before_it() -> None:
    silu = [conv("x", "a"), node("Sigmoid", ["a"], ["s"]), node("Mul", ["a", "s"], ["y"])]
    (kernel,) = kernels_of(graph(silu, WEIGHT))
    assert kernel.activation_bytes == 2 * MAP * 4


def test_a_shortcut_is_read_by_the_convolution_that_it_is_added_to() -> None:
    block = [conv("x", "a"), conv("a", "b"), node("Add", ["b", "a"], ["y"])]
    first, second = kernels_of(graph(block, WEIGHT))
    assert first.activation_bytes == 2 * MAP * 4
    assert second.activation_bytes == 3 * MAP * 4


def test_views_and_joining_cost_nothing() -> None:
    joined = [
        *(conv("x", "a"), conv("x", "b"), node("Concat", ["a", "b"], ["c"], axis=1)),
        node("Reshape", ["c", "flat"], ["y"]),
    ]
    model = graph(joined, WEIGHT)
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, -1], np.int64), "flat"))
    assert [kernel.name for kernel in kernels_of(model)] == ["a", "b"]


def test_a_depthwise_convolution_is_called_so() -> None:
    (kernel,) = kernels_of(graph([conv("x", "y", group=C)], {"w": (C, 1, 3, 3)}))
    assert (kernel.kind, kernel.macs) == ("depthwise", MAP * 9)


def test_a_pooling_moves_and_multiplies_nothing() -> None:
    pool = [node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])]
    (kernel,) = kernels_of(graph(pool, {}))
    assert (kernel.kind, kernel.macs) == ("other", 0)
    assert kernel.activation_bytes == (MAP + MAP // 4) * 4


def test_a_product_of_two_things_that_flow_is_no_layer_with_weights() -> None:
    attention = [
        node("Transpose", ["x"], ["t"], "t", perm=[0, 1, 3, 2]),
        node("MatMul", ["x", "t"], ["y"], "m"),
    ]
    transposed, product = kernels_of(graph(attention, {}))
    assert transposed.kind == "other"
    assert (product.kind, product.weight_bytes) == ("matmul", 0)
    assert product.macs == C * SIDE**3


def quantized(*, weights: bool) -> ModelProto:
    """A convolution between Q/DQ, its weights quantized too or not."""
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"], "q"),
        node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        node("DequantizeLinear", ["wq", "s", "z"], ["w"]),
        conv("d", "a", "w" if weights else "wf"),
        node("QuantizeLinear", ["a", "s", "z"], ["aq"]),
        node("DequantizeLinear", ["aq", "s", "z"], ["y"]),
    ]
    model = graph(nodes, {"wf": (C, C, 3, 3)})
    constants: dict[str, NDArray[Any]] = {
        "s": np.array(0.1, np.float32),
        "z": np.array(0, np.int8),
        "wq": np.ones((C, C, 3, 3), np.int8),
    }
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    return model


def test_a_convolution_between_q_and_dq_computes_and_moves_bytes() -> None:
    quantize, kernel = kernels_of(quantized(weights=True))
    assert quantize.name == "q"
    assert kernel.precision == "int8"
    assert kernel.activation_bytes == 2 * MAP
    assert kernel.weight_bytes == C * C * 9


def test_a_convolution_whose_weights_are_not_quantized_computes_in_float() -> None:
    _, kernel = kernels_of(quantized(weights=False))
    assert kernel.precision == "fp32"
    assert kernel.activation_bytes == 2 * MAP  # but what it reads and writes is quantized


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_built_in_detector_multiplies_what_its_layers_do(precision: Precision) -> None:
    model = onnx.load(open_bundle("road-nano").variant_path(precision))
    kernels = kernels_of(model)
    assert sum(one.macs for one in kernels) == sum(layer.macs for layer in layers(model))
    assert all(one.activation_bytes > 0 for one in kernels)


def test_the_kinds_of_the_built_in_detector_are_told_apart() -> None:
    model = onnx.load(open_bundle("road-nano").variant_path("fp32"))
    assert {one.kind for one in kernels_of(model)} == {"dense", "pointwise", "depthwise", "other"}
