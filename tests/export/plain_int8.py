"""INT8 at its plainest, apart from the code that is to be good at it: for what judges INT8.

Every layer in INT8, each input's range the largest magnitude that some frames show.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from stopline.export.intermediate import Inside
from stopline.export.quantize.layers import Layer, layers
from stopline.runtime.arrays import Frames


def plain_int8(model: ModelProto, frames: Frames) -> ModelProto:
    """The scale of a layer's input is the initializer `<layer>/scale`."""
    largest = _largest(model, frames)
    weights = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    of_node = {layer.name: layer for layer in layers(model)}
    int8 = ModelProto()
    int8.CopyFrom(model)
    del int8.graph.node[:]
    for node in model.graph.node:
        copy = NodeProto()
        copy.CopyFrom(node)
        if node.name in of_node:
            layer = of_node[node.name]
            scale = np.float32(largest[layer.input] / 127)
            int8.graph.node.extend(_quantized(int8, layer, weights[layer.weight], scale))
            copy.input[0], copy.input[1] = f"{layer.name}/input", f"{layer.weight}/dequantized"
        int8.graph.node.append(copy)
    return int8


def _largest(model: ModelProto, frames: Frames) -> dict[str, float]:
    inside = Inside(model, {layer.input for layer in layers(model)})
    seen = [inside({"frames": frame[None]}) for frame in frames]
    return {name: max(float(np.abs(of[name]).max()) for of in seen) for name in seen[0]}


def _quantized(
    model: ModelProto, layer: Layer, weight: NDArray[np.float32], scale: np.float32
) -> list[NodeProto]:
    scales = np.abs(weight).reshape(len(weight), -1).max(axis=1) / 127
    values = np.rint(weight / scales.reshape(-1, *[1] * (weight.ndim - 1)))
    held = {
        f"{layer.name}/scale": np.array(scale),
        f"{layer.name}/zero": np.array(0, np.int8),
        f"{layer.weight}/quantized": values.astype(np.int8),
        f"{layer.weight}/scale": scales.astype(np.float32),
        f"{layer.weight}/zero": np.zeros(len(weight), np.int8),
    }
    names = list(held)
    model.graph.initializer.extend(numpy_helper.from_array(of, name) for name, of in held.items())
    whole, back, of_weight = (
        f"{layer.name}/int8",
        f"{layer.name}/input",
        f"{layer.weight}/dequantized",
    )
    make = helper.make_node
    return [
        make("QuantizeLinear", [layer.input, *names[:2]], [whole], whole),
        make("DequantizeLinear", [whole, *names[:2]], [back], back),
        make("DequantizeLinear", names[2:], [of_weight], of_weight, axis=0),
    ]
