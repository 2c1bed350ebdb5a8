"""NumPy code that becomes ONNX nodes: a detector's maths is written once and runs as both.

A `Tensor` answers numpy's operators and functions (`__array_ufunc__`, `__array_function__`) by
appending a node to a graph, so `np.exp(x[..., 2:4]) * stride` is a line of numpy when `x` is an
array, and Slice, Exp and Mul when `x` is a Tensor.
"""

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray
from onnx import GraphProto, helper, numpy_helper

OP_OF_UFUNC: dict[np.ufunc, str] = {
    np.add: "Add",
    np.subtract: "Sub",
    np.multiply: "Mul",
    np.true_divide: "Div",
    np.power: "Pow",
    np.exp: "Exp",
    np.tanh: "Tanh",
}


class Nodes:
    """Appends nodes to a graph, named after their operator under one prefix."""

    def __init__(self, graph: GraphProto, prefix: str) -> None:
        self._graph = graph
        self._prefix = prefix

    def tensor(self, name: str, shape: tuple[int, ...] = ()) -> "Tensor":
        """An input of the graph, or what one of its nodes gives."""
        return Tensor(self, name, shape)

    def constant(self, value: NDArray[Any]) -> "Tensor":
        """An array as an initializer."""
        name = f"{self._prefix}/constant_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return Tensor(self, name)

    def append(
        self, op: str, inputs: Sequence["Operand"], gives: Sequence[str] = ("",), **attributes: Any
    ) -> list["Tensor"]:
        """Append one node; numbers and arrays among `inputs` become constants.

        `gives` names what it gives, in order; "" leaves the name to the node.
        """
        name = f"{self._prefix}/{op}_{len(self._graph.node)}"
        given = [value if isinstance(value, Tensor) else self._number(value) for value in inputs]
        names = [said or f"{name}_{index}" for index, said in enumerate(gives)]
        node = helper.make_node(op, [value.name for value in given], names, name, **attributes)
        self._graph.node.append(node)
        return [Tensor(self, name) for name in names]

    def _number(self, value: Any) -> "Tensor":
        is_index = isinstance(value, np.ndarray) and value.dtype == np.int64
        return self.constant(value if is_index else np.asarray(value, np.float32))


class Tensor(NDArrayOperatorsMixin):
    """A value in a graph that is being built. Its shape is known only if it was given."""

    def __init__(self, nodes: Nodes, name: str, shape: tuple[int, ...] = ()) -> None:
        self.nodes = nodes
        self.name = name
        self.shape = shape

    def apply(self, op: str, *others: "Operand", **attributes: Any) -> "Tensor":
        """One node with this value as its first input, and its first output."""
        return self.nodes.append(op, [self, *others], **attributes)[0]

    def reshape(self, *shape: int) -> "Tensor":
        """As numpy's."""
        return self.apply("Reshape", np.array(shape, np.int64))

    def transpose(self, *axes: int) -> "Tensor":
        """As numpy's."""
        return self.apply("Transpose", perm=list(axes))

    def __getitem__(self, key: tuple[EllipsisType, slice]) -> "Tensor":
        """`x[..., a:b]`: some of the last axis, which is all that a decode needs."""
        _, last = key
        start, stop = last.start or 0, np.iinfo(np.int64).max if last.stop is None else last.stop
        ends = [np.array([end], np.int64) for end in (start, stop, -1)]
        return self.apply("Slice", *ends)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: "Operand", **_: Any
    ) -> "Tensor":
        if method != "__call__" or ufunc not in OP_OF_UFUNC:
            return NotImplemented  # type: ignore[no-any-return]  # numpy's protocol
        return self.nodes.append(OP_OF_UFUNC[ufunc], inputs)[0]

    def __array_function__(
        self, function: Callable[..., Any], _: Any, inputs: tuple[Any, ...], options: Any
    ) -> "Tensor":
        if function is np.concatenate:
            return self.nodes.append("Concat", inputs[0], axis=inputs[1])[0]
        if function is np.take:
            return self.nodes.append("Gather", inputs, axis=options["axis"])[0]
        return NotImplemented  # type: ignore[no-any-return]  # numpy's protocol


Operand: TypeAlias = Tensor | NDArray[Any] | float


def sigmoid(x: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Numpy has none: an array's own, or a Sigmoid node."""
    if isinstance(x, Tensor):
        return cast(NDArray[np.floating[Any]], x.apply("Sigmoid"))
    share: NDArray[np.floating[Any]] = 1 / (1 + np.exp(-x))
    return share
