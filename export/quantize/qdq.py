"""QuantizeLinear and DequantizeLinear put around layers, and nowhere else.

What a pass adds to a tensor X is named `X/…`; X itself keeps its name and its meaning.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from stopline.export.quantize.activation import Activation
from stopline.export.quantize.layers import Layer

Pads = tuple[int, int, int, int]  # top, left, bottom, right
NO_PADS: Pads = (0, 0, 0, 0)


class Weights(NamedTuple):
    """What a layer multiplies by: `values * scales`, one scale for each output channel."""

    values: NDArray[np.int8]  # as the node holds them
    scales: NDArray[np.float32]  # (outputs,)
    bias: NDArray[np.float32] | None  # (outputs,), of what the layer sees; None: as it was
    axis: int = 0  # of the output channels in `values`


class QuantizedLayer(NamedTuple):
    """A layer, its input and its weights."""

    layer: Layer
    activation: Activation
    weights: Weights
    border: Pads = NO_PADS  # that the layer has, and that must be there before the shift


def with_qdq(model: ModelProto, quantized: Iterable[QuantizedLayer]) -> ModelProto:
    """A copy in which these layers multiply dequantized int8 by dequantized int8."""
    of_node = {each.layer.name: each for each in quantized}
    written = ModelProto()
    written.CopyFrom(model)
    nodes = [_copied(node) for node in written.graph.node]
    del written.graph.node[:]
    writer = _Writer(written.graph)
    for node in nodes:
        if node.name in of_node:
            writer.quantize(node, of_node[node.name])
        writer.graph.node.append(node)
    _drop_unused(written.graph)
    return written


class _Writer:
    """Appends to a graph, and remembers which inputs it has quantized already."""

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph
        self._made: dict[str, list[tuple[QuantizedLayer, str]]] = {}

    def quantize(self, node: NodeProto, each: QuantizedLayer) -> None:
        """Append what stands before the layer, and let it take that."""
        node.input[0] = self._input(each)
        node.input[1] = self._weight(each)
        if any(each.border):
            _set_no_pads(node)
        if each.weights.bias is not None:
            name = f"{each.layer.bias or each.layer.weight + '/bias'}/corrected"
            bias = self._initializer(name, each.weights.bias)
            del node.input[2:]
            node.input.append(bias)

    def _input(self, each: QuantizedLayer) -> str:
        """The tensor that the layer takes; layers that take it alike share it."""
        made = self._made.setdefault(each.layer.input, [])
        for other, dequantized in made:
            if _alike(other, each):
                return dequantized
        # Two layers may want different steps: the second set gets a number.
        base = each.layer.input + (f"/{len(made) + 1}" if made else "")
        made.append((each, self._new_input(each, base)))
        return made[-1][1]

    def _new_input(self, each: QuantizedLayer, base: str) -> str:
        activation, tensor = each.activation, each.layer.input
        if any(each.border):
            top, left, bottom, right = each.border
            pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
            tensor = self._node("Pad", tensor, f"{base}/padded", pads=pads)
        if activation.shift is not None:
            tensor = self._node("Sub", tensor, f"{base}/shifted", by=_across(activation.shift))
        if activation.factor is not None:
            tensor = self._node("Mul", tensor, f"{base}/scaled", by=_across(activation.factor))
        scale, zero = np.array(activation.scale, np.float32), np.array(0, np.int8)
        tensor = self._node("QuantizeLinear", tensor, f"{base}/quantized", scale=scale, zero=zero)
        return self._node("DequantizeLinear", tensor, f"{base}/dequantized", scale=scale, zero=zero)

    def _weight(self, each: QuantizedLayer) -> str:
        name, weights = each.layer.weight, each.weights
        quantized = self._initializer(f"{name}/quantized", weights.values)
        zeros = np.zeros(len(weights.scales), np.int8)
        made = self._node(
            "DequantizeLinear", quantized, f"{name}/dequantized", scale=weights.scales, zero=zeros
        )
        self.graph.node[-1].attribute.append(helper.make_attribute("axis", weights.axis))
        return made

    def _node(self, op: str, tensor: str, name: str, **others: NDArray[np.generic]) -> str:
        """A node and its output, both of that name; `others` are its other inputs."""
        inputs = [self._initializer(f"{name}/{said}", value) for said, value in others.items()]
        self.graph.node.append(helper.make_node(op, [tensor, *inputs], [name], name))
        return name

    def _initializer(self, name: str, value: NDArray[np.generic]) -> str:
        # Never a scalar as (1,): TensorRT takes that for a scale per channel, and stays in float.
        self.graph.initializer.append(numpy_helper.from_array(value, name))
        return name


def _alike(one: QuantizedLayer, other: QuantizedLayer) -> bool:
    """Whether one quantized input serves both."""
    if one.border != other.border or one.activation.scale != other.activation.scale:
        return False
    return _same(one.activation.shift, other.activation.shift) and _same(
        one.activation.factor, other.activation.factor
    )


def _same(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _across(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(c,) → what goes with (n, c, h, w); one number where all are the same."""
    if (channels == channels[0]).all():
        return np.array(channels[0])
    return channels.reshape(1, -1, 1, 1)


def _set_no_pads(node: NodeProto) -> None:
    kept = [each for each in node.attribute if each.name != "pads"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("pads", list(NO_PADS))])


def _copied(node: NodeProto) -> NodeProto:
    """Outlives the graph it was in."""
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def _drop_unused(graph: GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
