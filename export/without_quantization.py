"""INT8 without the nodes that TensorRT refuses: the layers it names compute in float again."""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from stopline.devices.engines.ladder import Edited
from stopline.devices.engines.network import EngineError
from stopline.export.raw import Floats

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


def without_quantization(content: bytes, said: str) -> Edited:
    """The graph with the layers in float that `said`, TensorRT's own words, names.

    Raises EngineError if it names none that is quantized.
    """
    model = ModelProto.FromString(content)
    graph = _Graph(model)
    layers = {layer.name: layer for node in named_in(model, said) for layer in graph.layers(node)}
    if not layers:
        raise EngineError("TensorRT names no quantized layer that could be left in float")
    for layer in layers.values():
        graph.float_again(layer)
    graph.sweep()
    return Edited(model.SerializeToString(), tuple(layers))


def named_in(model: ModelProto, said: str) -> list[NodeProto]:
    """The nodes whose whole names are in a text, in graph order."""
    words = set(re.findall(r"[^\s\[\](){},;:'\"+]+", said.replace("...", " ")))
    return [node for node in model.graph.node if node.name in words]


class _Graph:
    def __init__(self, model: ModelProto) -> None:
        self._graph = model.graph
        self._weights = {weight.name: weight for weight in model.graph.initializer}
        self._giver = {name: node for node in model.graph.node for name in node.output}

    def layers(self, node: NodeProto) -> list[NodeProto]:
        """What computes in INT8 because of this node: itself, or those that a Q or DQ feeds."""
        if node.op_type == QUANTIZE:
            return [layer for dq in self._users(node) for layer in self.layers(dq)]
        if node.op_type == DEQUANTIZE:
            return [user for user in self._users(node) if user.op_type != QUANTIZE]
        return [node] if any(map(self._dequantizer, node.input)) else []

    def float_again(self, layer: NodeProto) -> None:
        """Its inputs come from before their Q and DQ."""
        for index, name in enumerate(layer.input):
            dequantize = self._dequantizer(name)
            if dequantize is None:
                continue
            quantize = self._giver.get(dequantize.input[0])
            if quantize is not None and quantize.op_type == QUANTIZE:
                layer.input[index] = quantize.input[0]
            elif dequantize.input[0] in self._weights:
                layer.input[index] = self._float_weight(dequantize)

    def sweep(self) -> None:
        """Take out Q, DQ and weights that nothing uses any more."""
        outputs = {output.name for output in self._graph.output}
        while idle := self._idle(outputs):
            for node in idle:
                self._graph.node.remove(node)
        used = {name for node in self._graph.node for name in node.input}
        for weight in [one for one in self._graph.initializer if one.name not in used]:
            self._graph.initializer.remove(weight)

    def _idle(self, outputs: Iterable[str]) -> list[NodeProto]:
        used = {name for node in self._graph.node for name in node.input} | set(outputs)
        kinds = (QUANTIZE, DEQUANTIZE)
        return [
            node
            for node in self._graph.node
            if node.op_type in kinds and used.isdisjoint(node.output)
        ]

    def _users(self, node: NodeProto) -> list[NodeProto]:
        return [user for user in self._graph.node if set(node.output) & set(user.input)]

    def _dequantizer(self, name: str) -> NodeProto | None:
        giver = self._giver.get(name)
        return giver if giver is not None and giver.op_type == DEQUANTIZE else None

    def _float_weight(self, dequantize: NodeProto) -> str:
        """Not the weights of before they were quantized, but those that the graph has had since."""
        name = f"{dequantize.output[0]}/float"
        if name not in self._weights:
            weight, scale, *zero = (self._array(one) for one in dequantize.input)
            floats = np.asarray(scale, np.float32)
            value = dequantized(weight, floats, zero[0] if zero else None, _axis(dequantize))
            tensor = numpy_helper.from_array(value, name)
            self._graph.initializer.append(tensor)
            self._weights[name] = tensor
        return name

    def _array(self, name: str) -> NDArray[np.generic]:
        return np.asarray(numpy_helper.to_array(self._weights[name]))


def dequantized(
    weight: NDArray[np.generic],
    scale: Floats,
    zero: NDArray[np.generic] | None,
    axis: int,
) -> Floats:
    """As ONNX defines DequantizeLinear, per tensor or per channel of `axis`."""
    along = [1] * weight.ndim
    if scale.size > 1:
        along[axis] = -1
    centred = weight.astype(np.int32)
    if zero is not None:
        centred = centred - zero.astype(np.int32).reshape(along if zero.size > 1 else ())
    shaped = scale.reshape(along if scale.size > 1 else ())
    value: Floats = (centred * shaped).astype(scale.dtype)
    return value


def _axis(node: NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
