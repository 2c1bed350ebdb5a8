"""FP16 as types in the graph: `net/` in float16, `prepare/` and `decode/` in float32.

No library does this. With the nodes of `prepare/` and `decode/` on its block list,
onnxconverter-common 1.16 renames their tensors and gives float16 `boxes`, and ONNX Runtime 1.32's
`transformers.float16` leaves nodes that are not in topological order; both round the boxes on
their way through the decode to float16, whose step at 400 pixels is a quarter of one. Without a
list, neither graph is valid.
"""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from stopline.export.half_rules import Typed, typed
from stopline.export.raw import ExportError

HALF, FLOAT = "/half", "/float"  # what a cast adds to the name of the tensor it casts


def fp16_model(model: ModelProto, float_layers: Collection[str] = ()) -> ModelProto:
    """The same graph with `net/` stored and computed in float16, but for the nodes named.

    Every tensor keeps its name; where `x` is wanted in the other type, a cast makes `x/half`
    or `x/float`. Raises ExportError if a weight does not fit float16, or a layer is not there.
    """
    nodes = typed(model, frozenset(float_layers))
    half = ModelProto()
    half.CopyFrom(model)
    del half.graph.node[:], half.graph.initializer[:], half.graph.value_info[:]
    casting = _Casting(model, nodes)
    half.graph.initializer.extend(casting.weights())
    half.graph.node.extend(casting.nodes())
    checker.check_model(half, full_check=True)
    return half


class _Casting:
    """Puts a cast wherever a node wants a tensor in a type that it does not have."""

    def __init__(self, model: ModelProto, nodes: list[Typed]) -> None:
        self._nodes = nodes
        self._initializers = model.graph.initializer
        wanted = _as_read(nodes)
        weights = {weight.name for weight in self._initializers}
        # A weight is stored as it is read, and twice if it is read as both.
        self._both = {name for name in weights if len(wanted.get(name, ())) == 2}
        self._half = {name for name in weights if wanted.get(name) == {True}} | {
            name
            for node, _, outputs in nodes
            for name, half in zip(node.output, outputs, strict=True)
            if half
        }

    def nodes(self) -> Iterator[NodeProto]:
        """In the graph's order, each after the casts that it is the first to need."""
        there = {name + HALF for name in self._both}
        for node, inputs, _ in self._nodes:
            copy = NodeProto()
            copy.CopyFrom(node)
            for index, half in enumerate(inputs):
                name = node.input[index]
                if half is None or half == (name in self._half):
                    continue
                copy.input[index] = name + (HALF if half else FLOAT)
                if copy.input[index] not in there:
                    there.add(copy.input[index])
                    yield _cast(name, copy.input[index], half)
            yield copy

    def weights(self) -> list[TensorProto]:
        """Raise ExportError, naming every weight that float16 cannot hold."""
        stored: list[TensorProto] = []
        lost: list[str] = []
        for weight in self._initializers:
            if weight.name not in self._half:
                stored.append(weight)
            if weight.name in self._half | self._both:
                name = weight.name + (HALF if weight.name in self._both else "")
                value = numpy_helper.to_array(weight)
                with np.errstate(over="ignore"):
                    half = value.astype(np.float16)
                stored.append(numpy_helper.from_array(half, name))
                lost.extend(_lost(weight.name, value, half))
        if lost:
            raise ExportError(f"float16 cannot hold {'; '.join(lost)}: keep its layer in float")
        return stored


def _as_read(nodes: list[Typed]) -> dict[str, set[bool]]:
    """Of every float tensor, whether it is read as float16, as float32, or as both."""
    read: dict[str, set[bool]] = {}
    for node, inputs, _ in nodes:
        for name, half in zip(node.input, inputs, strict=True):
            if half is not None:
                read.setdefault(name, set()).add(half)
    return read


def _cast(name: str, gives: str, half: bool) -> NodeProto:
    to = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return helper.make_node("Cast", [name], [gives], gives, to=to)


def _lost(name: str, value: NDArray[np.float32], half: NDArray[np.float16]) -> Iterator[str]:
    if np.isinf(half).sum() > np.isinf(value).sum():
        yield f"{name} (up to {np.abs(value).max():.3g}, it ends at 65504)"
    elif value.any() and not half.any():
        yield f"{name} (at most {np.abs(value).max():.3g}, all of which becomes 0)"
