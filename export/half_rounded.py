"""What FP16 answers, on a CPU that has no FP16: every result rounded to it.

ONNX Runtime and OpenVINO run a float16 graph on a CPU in float32: the weights are rounded, what
flows between nodes is not (ONNX Runtime casts for each node, then removes its casts between
them). This graph rounds where a GPU does at the least: after every node, sums in float32.
"""

from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from stopline.export.half_rules import tensors_of

# They only move or choose among what is rounded already.
MOVES = {
    *("Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "MaxPool"),
    *("Relu", "Reshape", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
}


def rounded_model(fp16: ModelProto) -> ModelProto:
    """A float32 graph that gives, in ONNX Runtime, what `fp16` means; names as they are."""
    rounded = ModelProto()
    rounded.CopyFrom(fp16)
    del rounded.graph.node[:], rounded.graph.value_info[:]
    halves = tensors_of(fp16, TensorProto.FLOAT16)
    for node in fp16.graph.node:
        rounded.graph.node.extend(_rounding(node, halves))
    for weight in rounded.graph.initializer:
        if weight.data_type == TensorProto.FLOAT16:
            value = numpy_helper.to_array(weight).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(value, weight.name))
    checker.check_model(rounded, full_check=True)
    return rounded


def _rounding(node: NodeProto, halves: frozenset[str]) -> Iterator[NodeProto]:
    """The node, and two casts after each of its results that was float16."""
    copy = NodeProto()
    copy.CopyFrom(node)
    if node.op_type == "Cast" and node.output[0] in halves:
        next(said for said in copy.attribute if said.name == "to").i = TensorProto.FLOAT
    results = [name for name in node.output if name in halves and node.op_type not in MOVES]
    for index, name in enumerate(node.output):
        if name in results:
            copy.output[index] = f"{name}/unrounded"
    yield copy
    for name in results:
        half = f"{name}/rounded"
        yield _cast(f"{name}/unrounded", half, half, TensorProto.FLOAT16)
        yield _cast(half, name, f"{half}/float", TensorProto.FLOAT)


def _cast(reads: str, gives: str, name: str, to: int) -> NodeProto:
    return helper.make_node("Cast", [reads], [gives], name, to=to)
