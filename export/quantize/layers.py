"""The layers of a detector: what is multiplied, by which weights, how often."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, helper, shape_inference

from stopline.export.contract import NET

Kind = Literal["dense", "pointwise", "depthwise", "grouped"]
Shapes = Mapping[str, tuple[int, ...]]

OPS = ("Conv", "Gemm", "MatMul")
# A weight is behind these in a graph of another precision.
OF_A_WEIGHT = ("DequantizeLinear", "Cast")


class Layer(NamedTuple):
    """One node that multiplies what flows by weights that do not."""

    name: str
    kind: Kind
    macs: int  # multiply-accumulates for one image
    input: str
    weight: str
    bias: str | None
    output: str
    axis: int  # of the output channels in the weight


def layers(model: ModelProto) -> tuple[Layer, ...]:
    """Of `net/`, in the order of the graph. A product of two things that flow is none."""
    shapes = shapes_of(model)
    constant = constants(model.graph)
    return tuple(
        _layer(node, shapes)
        for node in model.graph.node
        if node.op_type in OPS
        and node.name.startswith(NET)
        and node.input[1] in constant
        and node.input[0] not in constant
    )


def head_outputs(model: ModelProto) -> frozenset[str]:
    """The names of the layers after which no layer comes: what they give is decoded."""
    of_output = {layer.output: layer.name for layer in layers(model)}
    last = set()
    reaches = set[str]()  # tensors from which a layer is reached
    for node in reversed(model.graph.node):
        output = node.output[0]
        if output in of_output and output not in reaches:
            last.add(of_output[output])
        if output in of_output or reaches.intersection(node.output):
            reaches.update(node.input)
    return frozenset(last)


def int8_share(model: ModelProto) -> float:
    """Of all multiply-accumulates, those between two dequantized operands, as the graph says."""
    dequantized = {
        output
        for node in model.graph.node
        if node.op_type == "DequantizeLinear"
        for output in node.output
    }
    every = layers(model)
    whole = sum(layer.macs for layer in every)
    int8 = sum(
        layer.macs for layer in every if layer.input in dequantized and layer.weight in dequantized
    )
    return int8 / whole if whole else 0.0


def constants(graph: GraphProto) -> frozenset[str]:
    """The tensors that no image changes: initializers, and what is made of them alone."""
    constant = {each.name for each in graph.initializer}
    for node in graph.node:
        if node.op_type in OF_A_WEIGHT and all(name in constant for name in node.input):
            constant.update(node.output)
    return frozenset(constant)


def shapes_of(model: ModelProto) -> Shapes:
    """Of every tensor whose shape is known; a dimension that is open counts as one."""
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    values = [*inferred.input, *inferred.output, *inferred.value_info]
    shapes = {
        value.name: tuple(dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim)
        for value in values
    }
    return shapes | {each.name: tuple(each.dims) for each in inferred.initializer}


def attribute(node: NodeProto, name: str, otherwise: int) -> int:
    """A number among the attributes of a node."""
    found = [helper.get_attribute_value(each) for each in node.attribute if each.name == name]
    return int(found[0]) if found else otherwise


def _layer(node: NodeProto, shapes: Shapes) -> Layer:
    weight, output = shapes[node.input[1]], shapes[node.output[0]]
    per_output = int(np.prod(weight[1:])) if node.op_type == "Conv" else _inner(node, weight)
    return Layer(
        name=node.name,
        kind=_kind(node, weight),
        macs=int(np.prod(output[1:])) * per_output,
        input=node.input[0],
        weight=node.input[1],
        bias=node.input[2] if len(node.input) > 2 and node.input[2] else None,
        output=node.output[0],
        axis=_axis(node, weight),
    )


def _inner(node: NodeProto, weight: tuple[int, ...]) -> int:
    """Gemm may hold its weights (out, in)."""
    return weight[1] if attribute(node, "transB", 0) else weight[-2]


def _axis(node: NodeProto, weight: tuple[int, ...]) -> int:
    if node.op_type == "Conv" or attribute(node, "transB", 0):
        return 0
    return len(weight) - 1


def _kind(node: NodeProto, weight: tuple[int, ...]) -> Kind:
    if node.op_type != "Conv":
        return "dense"
    groups = attribute(node, "group", 1)
    if groups > 1:
        return "depthwise" if weight[1] == 1 else "grouped"
    return "pointwise" if all(side == 1 for side in weight[2:]) else "dense"
