"""Which tensors of a graph become float16: what ONNX allows, less what is known to go wrong."""

from collections.abc import Iterator, Sequence, Set
from itertools import chain, islice, repeat
from typing import NamedTuple

from onnx import ModelProto, NodeProto, TensorProto, defs, shape_inference

from stopline.export.contract import NET
from stopline.export.raw import ExportError

# Operators of `net/` that stay in float32.
UNSAFE = {
    "CumSum": "adds up more than float16 holds",
    "Exp": "overflows from 11.1",
    "GridSample": "float16 places a sample no finer than a third of a pixel at 640",
    "GroupNormalization": "squares",
    "InstanceNormalization": "squares",
    "LayerNormalization": "squares",
    "Pow": "overflows from 256 squared",
    "Range": "counts to 2048",
    "Reciprocal": "overflows below 1.5e-5",
    "ReduceL2": "squares",
    "ReduceLogSumExp": "overflows from 11.1",
    "ReduceMean": "adds up more than float16 holds",
    "ReduceProd": "multiplies",
    "ReduceSum": "adds up more than float16 holds",
    "ReduceSumSquare": "squares",
    "TopK": "scores that differ become ties",
}
RESIZE_DATA = 0  # of Resize's inputs; roi and scales say where, which float16 would move
TYPE_READERS = ("Shape", "Size")  # take any type, so that no cast is worth it


class Typed(NamedTuple):
    """A node, and of each input and output whether it is float16; None where it is no float."""

    node: NodeProto
    inputs: tuple[bool | None, ...]
    outputs: tuple[bool | None, ...]


def typed(model: ModelProto, kept: Set[str]) -> list[Typed]:
    """The nodes of a float32 graph as FP16 has them, but for the nodes of `net/` in `kept`.

    What a graph gives stays float32. Raises ExportError for a node that is not there or holds
    a graph of its own.
    """
    names = {node.name for node in model.graph.node}
    if missing := sorted(kept - names):
        raise ExportError(f"no layer {', '.join(missing)}: layers are named as nodes, {NET}…")
    nested = [
        node.name for node in model.graph.node if any(a.HasField("g") for a in node.attribute)
    ]
    if nested:
        raise ExportError(f"{', '.join(nested)} hold graphs of their own, which FP16 cannot reach")
    rules = _Rules(model, kept)
    return [rules.typed(node) for node in model.graph.node]


class _Rules:
    def __init__(self, model: ModelProto, kept: Set[str]) -> None:
        self._kept = kept
        self._floats = tensors_of(model, TensorProto.FLOAT)
        self._given = {value.name for value in model.graph.output}
        self._opset = {said.domain: said.version for said in model.opset_import}

    def typed(self, node: NodeProto) -> Typed:
        schema = defs.get_schema(node.op_type, self._opset[node.domain], node.domain)
        takes = [param.type_str for param in islice(_formal(schema.inputs), len(node.input))]
        gives = [param.type_str for param in islice(_formal(schema.outputs), len(node.output))]
        halves = {
            said.type_param_str
            for said in schema.type_constraints
            if "tensor(float16)" in said.allowed_type_strs and self._may_be_half(node)
        }
        if node.op_type == "Resize":
            takes[RESIZE_DATA + 1 :] = ["tensor(float)"] * len(takes[RESIZE_DATA + 1 :])
        inputs = self._which(node.input, takes, halves)
        # A type that no input shares (Cast's, ConstantOfShape's) is said by an attribute.
        halves &= {said for said, half in zip(takes, inputs, strict=True) if half}
        if node.op_type in TYPE_READERS:
            inputs = (None,)
        return Typed(node, inputs, self._which(node.output, gives, halves))

    def _may_be_half(self, node: NodeProto) -> bool:
        return (
            node.name.startswith(NET)
            and node.name not in self._kept
            and node.op_type not in UNSAFE
            and not self._given & set(node.output)
        )

    def _which(
        self, names: list[str], types: list[str], halves: Set[str]
    ) -> tuple[bool | None, ...]:
        return tuple(
            said in halves if name in self._floats else None
            for name, said in zip(names, types, strict=True)
        )


def tensors_of(model: ModelProto, kind: int) -> frozenset[str]:
    """Every tensor of that type: weights, inputs, outputs, and all between."""
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    values = chain(graph.input, graph.value_info, graph.output)
    found = {value.name for value in values if value.type.tensor_type.elem_type == kind}
    return frozenset(
        found | {weight.name for weight in graph.initializer if weight.data_type == kind}
    )


def _formal(
    params: Sequence[defs.OpSchema.FormalParameter],
) -> Iterator[defs.OpSchema.FormalParameter]:
    """The parameters as they are declared, the last without end: it may be variadic."""
    return chain(params, repeat(params[-1])) if params else iter(())
