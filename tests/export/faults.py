"""Faults put into one named place of a graph, for what must find them."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

Values: TypeAlias = NDArray[np.float32]


def edited(model: ModelProto, weight: str, edit: Callable[[Values], Values]) -> ModelProto:
    """A copy with one weight changed."""
    copy = ModelProto()
    copy.CopyFrom(model)
    held = next(each for each in copy.graph.initializer if each.name == weight)
    changed = edit(numpy_helper.to_array(held).copy())
    held.CopyFrom(numpy_helper.from_array(changed, weight))
    return copy


def one_channel_louder(values: Values) -> Values:
    values[len(values) // 2] *= 1.5
    return values


def inputs_swapped(values: Values) -> Values:
    return np.ascontiguousarray(values[:, ::-1])


def nothing(values: Values) -> Values:
    return np.zeros_like(values)


def sixteenth(values: Values) -> Values:
    return (values / 16).astype(np.float32)


def sixteenfold(values: Values) -> Values:
    return (values * 16).astype(np.float32)


def with_after(model: ModelProto, tensor: str, added: list[NodeProto]) -> ModelProto:
    """A copy in which whatever read `tensor` reads what the last of `added` gives."""
    copy = ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:]
    pending = list(added)
    for node in model.graph.node:
        if tensor in node.input:
            copy.graph.node.extend(pending)
            pending = []
        moved = copy.graph.node.add()
        moved.CopyFrom(node)
        for place, name in enumerate(node.input):
            if name == tensor:
                moved.input[place] = added[-1].output[0]
    return copy


def held(model: ModelProto, name: str, value: NDArray[np.generic]) -> ModelProto:
    """A copy with one more initializer."""
    copy = ModelProto()
    copy.CopyFrom(model)
    copy.graph.initializer.append(numpy_helper.from_array(value, name))
    return copy


def under_one_scale(model: ModelProto) -> ModelProto:
    """Boxes and scores through one INT8 scale on their way to the decode."""
    model = held(model, "net/output/scale", np.array(8 / 127, np.float32))
    model = held(model, "net/output/zero", np.array(0, np.int8))
    ends = ["net/output/scale", "net/output/zero"]
    quantized, back = "net/output/quantized", "net/output/dequantized"
    added = [
        helper.make_node("QuantizeLinear", ["net/output", *ends], [quantized], quantized),
        helper.make_node("DequantizeLinear", [quantized, *ends], [back], back),
    ]
    return with_after(model, "net/output", added)


def rgb(model: ModelProto) -> ModelProto:
    """What takes BGR is given RGB."""
    model = held(model, "prepare/order", np.array([2, 1, 0]))
    ends = ["prepare/Transpose_1_0", "prepare/order"]
    added = [helper.make_node("Gather", ends, ["prepare/swapped"], "prepare/swap", axis=1)]
    return with_after(model, "prepare/Transpose_1_0", added)


def normalised_twice(model: ModelProto) -> ModelProto:
    """0..1 for what takes 0..255."""
    model = held(model, "prepare/unit", np.array(1 / 255, np.float32))
    ends = ["prepare/Cast_0_0", "prepare/unit"]
    added = [helper.make_node("Mul", ends, ["prepare/scaled"], "prepare/Mul")]
    return with_after(model, "prepare/Cast_0_0", added)
