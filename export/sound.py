"""Whether a graph can be worked with at all, before anything is made of it."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, defs, numpy_helper

from stopline.export.intermediate import typed_values
from stopline.export.raw import ExportError, shape_text

MOST_NAMED = 3  # in one sentence
# A mask or a bound may be infinite; a weight may not.
MAY_READ_INFINITY = {"Add", "Clip", "Expand", "Max", "Min", "Pad", "Where"}


def refuse_unsound(model: ModelProto) -> None:
    """Raise ExportError, naming what is wrong and where, unless the graph is fit for export.

    It has nodes and outputs, weights that are there and are numbers, operators that ONNX has,
    and no open side but the batch.
    """
    graph = model.graph
    if not graph.node or not graph.output:
        raise ExportError("the graph is empty: wanted at least one node and one output")
    for reason in chain(_elsewhere(graph), _unknown(model), _not_numbers(graph), _open(model)):
        raise ExportError(reason)


def _elsewhere(graph: GraphProto) -> Iterator[str]:
    """Weights in a file of their own, which is not there (or `onnx.load` had read them)."""
    for weight in graph.initializer:
        if weight.data_location == TensorProto.EXTERNAL:
            file = next(
                (said.value for said in weight.external_data if said.key == "location"), "?"
            )
            yield (
                f"the weights {weight.name} are in another file, {file}, which was not read: "
                f"keep it beside the ONNX file"
            )


def _unknown(model: ModelProto) -> Iterator[str]:
    own = {(function.domain, function.name) for function in model.functions}
    opsets = {said.domain or "ai.onnx": said.version for said in model.opset_import}
    unknown: dict[str, list[str]] = {}
    for node in nodes_of(model.graph):
        domain = node.domain or "ai.onnx"
        if (node.domain, node.op_type) not in own and not _is_known(node, opsets.get(domain, 0)):
            kind = node.op_type if domain == "ai.onnx" else f"{domain}.{node.op_type}"
            unknown.setdefault(kind, []).append(name_of(node))
    if unknown:
        opset = opsets.get("ai.onnx", "none")
        found = "; ".join(f"{kind} ({named(names)})" for kind, names in unknown.items())
        yield f"ONNX (opset {opset}) has no operator {found}: export the model without it"


def _is_known(node: NodeProto, opset: int) -> bool:
    if node.domain not in ("", "ai.onnx", "ai.onnx.ml"):
        return False
    domain = "" if node.domain == "ai.onnx" else node.domain
    try:
        return not defs.get_schema(node.op_type, opset, domain).deprecated
    except defs.SchemaError:
        return False


def _not_numbers(graph: GraphProto) -> Iterator[str]:
    readers: dict[str, list[NodeProto]] = {}
    for node in nodes_of(graph):
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for weight in _constants(graph):
        values = numpy_helper.to_array(weight)
        if not np.issubdtype(values.dtype, np.floating) or np.isfinite(values).all():
            continue
        reading = readers.get(weight.name, [])
        nans = int(np.isnan(values).sum())
        if nans or any(node.op_type not in MAY_READ_INFINITY for node in reading):
            kind = f"{nans} NaN" if nans else f"{int(np.isinf(values).sum())} infinite"
            nodes = named([f"{node.op_type} {name_of(node)}" for node in reading]) or "nothing"
            yield f"{kind} among the {values.size} weights of {weight.name}, read by {nodes}"


def _constants(graph: GraphProto) -> Iterator[TensorProto]:
    """Initializers, and what Constant nodes hold, under the names that are read."""
    yield from graph.initializer
    for node in nodes_of(graph):
        for said in node.attribute:
            if node.op_type == "Constant" and said.HasField("t"):
                constant = TensorProto()
                constant.CopyFrom(said.t)
                constant.name = node.output[0]
                yield constant


def _open(model: ModelProto) -> Iterator[str]:
    """Inputs and outputs of open sizes; of outputs, the node where their size is lost."""
    weights = {weight.name for weight in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in weights and _has_open_side(value):
            yield (
                f"{value.name} is {shape_text(value)}: wanted every side but the batch fixed; "
                f"export it at one size"
            )
    types = typed_values(model)
    for node in model.graph.node:
        lost = [name for name in node.output if name in types and _has_open_side(types[name])]
        if lost and any(_has_open_side(types[out.name]) for out in model.graph.output):
            yield (
                f"{node.op_type} {name_of(node)} gives {lost[0]} of a size that depends on the "
                f"image: wanted every side but the batch fixed"
            )


def _has_open_side(value: ValueInfoProto) -> bool:
    """But for the first."""
    kind = value.type.tensor_type
    return not kind.HasField("shape") or any(not dim.dim_value for dim in kind.shape.dim[1:])


def nodes_of(graph: GraphProto) -> Iterator[NodeProto]:
    """Of the graph, and of the graphs that its nodes hold."""
    for node in graph.node:
        yield node
        for said in node.attribute:
            for inner in (said.g, *said.graphs):
                yield from nodes_of(inner)


def name_of(node: NodeProto) -> str:
    """A node may have none; then what it gives."""
    return node.name or f"→ {node.output[0] if node.output else '?'}"


def named(names: list[str]) -> str:
    """The first few."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
