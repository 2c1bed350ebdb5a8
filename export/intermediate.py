"""What flows inside a graph: any of its tensors, read as it runs, every node as it is written."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias, TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, shape_inference
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from stopline.export.raw import ExportError

FAILURES = (
    *(errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.NotImplemented),
    errors.RuntimeException,
)
Values: TypeAlias = dict[str, NDArray[Any]]  # of tensors, by name

T = TypeVar("T")


class Inside:
    """A graph cut down to what leads to the tensors wanted, which become its outputs."""

    def __init__(self, model: ModelProto, wanted: Collection[str], threads: int = 1) -> None:
        """Raise ExportError if ONNX Runtime cannot load it."""
        self._wanted = list(wanted)
        cut = leading_to(model, self._wanted)
        self.reads = [value.name for value in cut.graph.input]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # of outputs whose shape it did not infer alike
        options.intra_op_num_threads = threads
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_DISABLE_ALL
        try:
            self._session = onnxruntime.InferenceSession(
                cut.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except FAILURES as error:
            raise ExportError(f"onnxruntime cannot load it: {_first_line(error)}") from error

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> Values:
        """The tensors wanted; of `given`, what it does not read is left out."""
        known = {name: given[name] for name in self.reads if name in given}
        try:
            return dict(zip(self._wanted, self._session.run(self._wanted, known), strict=True))
        except FAILURES as error:
            raise ExportError(f"onnxruntime cannot run it: {_first_line(error)}") from error


def leading_to(model: ModelProto, wanted: Sequence[str]) -> ModelProto:
    """The part of the graph that computes `wanted`, with those as its outputs."""
    types = typed_values(model)
    cut = ModelProto()
    cut.CopyFrom(model)
    nodes = _ancestors(model.graph.node, wanted)
    read = set(chain(wanted, *(node.input for node in nodes)))
    for field, kept in (
        (cut.graph.node, nodes),
        (cut.graph.initializer, [w for w in model.graph.initializer if w.name in read]),
        (cut.graph.input, [value for value in model.graph.input if value.name in read]),
        (cut.graph.output, [types[name] for name in wanted]),
        (cut.graph.value_info, []),
    ):
        del field[:]
        field.extend(kept)
    return cut


def typed_values(model: ModelProto) -> dict[str, ValueInfoProto]:
    """Type and, where it is known, shape of every tensor that is given or computed."""
    graph = shape_inference.infer_shapes(model).graph
    return {value.name: value for value in chain(graph.input, graph.value_info, graph.output)}


def chunked(items: Iterable[T], size: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Items in their order, as many at a time as stay within `most`; never none."""
    chunk: list[T] = []
    held = 0
    for item in items:
        if chunk and held + size(item) > most:
            yield chunk
            chunk, held = [], 0
        chunk.append(item)
        held += size(item)
    if chunk:
        yield chunk


def bytes_of(value: ValueInfoProto) -> int:
    """Of one image; a side that is not known counts as 1."""
    kind = value.type.tensor_type
    sides = [max(dim.dim_value, 1) for dim in kind.shape.dim]
    return int(np.prod(sides)) * helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize


def _ancestors(nodes: Iterable[NodeProto], wanted: Iterable[str]) -> list[NodeProto]:
    needed = set(wanted)
    kept = []
    for node in reversed(list(nodes)):
        if needed & set(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
