"""A raw file made to take another input size, or any batch, where its graph allows it.

A fully convolutional graph takes any size, but exporters write the size they saw into constants:
into reshapes that flatten a map, and into the channel shuffles of ShuffleNet.
"""

import math
from copy import deepcopy
from dataclasses import replace
from itertools import chain

import numpy as np
from onnx import ModelProto, TensorShapeProto, numpy_helper, shape_inference

from stopline.export.channel_shuffle import constant_of, free_channel_shuffles
from stopline.export.raw import HW, ExportError, Raw, grey_outputs, images_input

DYNAMIC = "n"  # the name of a batch that is chosen at run time


def fitted(raw: Raw, input_hw: HW, batch: int) -> Raw:
    """`raw` for images of this size; `batch` > 1 leaves n open, up to that many.

    Raises ExportError if the graph cannot be run so, with what ONNX Runtime says of it.
    """
    shape = next(iter(raw.outputs.values())).shape
    if input_hw == raw.input_hw and shape[0] == batch == 1:
        return raw
    model = deepcopy(raw.model)
    free_reshapes(model)
    free_channel_shuffles(model.graph)
    _set_input(model, raw, input_hw, batch)
    try:
        outputs = grey_outputs(model, raw.name, (batch, 3, *input_hw))
    except ExportError as error:
        had, wanted = ("x".join(map(str, hw)) for hw in (raw.input_hw, input_hw))
        raise ExportError(
            f"{raw.name} was exported for 1 image of {had} and its graph holds on to that: "
            f"export it again for {batch} of {wanted}. {error}"
        ) from error
    return replace(raw, model=model, input_hw=input_hw, outputs=outputs)


def free_reshapes(model: ModelProto) -> None:
    """Let reshapes to a fixed (1, c, h·w) follow the batch and the size of what they reshape."""
    shapes = _shapes(model)
    for node in model.graph.node:
        target = constant_of(model.graph, node.input[1]) if node.op_type == "Reshape" else None
        shape = shapes.get(node.input[0]) if node.input else None
        if target is not None and shape:
            freed = np.array(freed_target(target.tolist(), shape), np.int64)
            node.input[1] = f"{node.output[0]}/freed"
            del node.attribute[:]  # allowzero, with which torch takes 0 for a side of nothing
            model.graph.initializer.append(numpy_helper.from_array(freed, node.input[1]))


def freed_target(target: list[int], shape: tuple[int, ...]) -> list[int]:
    """The target of a reshape without the batch and the size it was exported with."""
    freed = list(target)
    if target[0] == shape[0] == 1:
        freed[0] = 0  # ONNX: as it is
    if len(target) == 3 and target[1:] == [shape[1], math.prod(shape[2:])]:
        freed[2] = -1
    return freed


def _set_input(model: ModelProto, raw: Raw, input_hw: HW, batch: int) -> None:
    """Say the new shape, and forget every shape that followed from the old one."""
    dims = images_input(model, raw.name).type.tensor_type.shape.dim
    first = {"dim_param": DYNAMIC} if batch > 1 else {"dim_value": 1}
    for dim, said in zip(
        dims, (first, *({"dim_value": side} for side in (3, *input_hw))), strict=True
    ):
        dim.CopyFrom(TensorShapeProto.Dimension(**said))
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def _shapes(model: ModelProto) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor that has a fixed one."""
    graph = shape_inference.infer_shapes(model).graph
    shapes = {}
    for value in chain(graph.input, graph.value_info, graph.output):
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if dims and all(dims):
            shapes[value.name] = tuple(dims)
    return shapes
