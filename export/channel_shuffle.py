"""ShuffleNet's channel shuffle, written so that it fits any batch and size.

"ShuffleNet V2", arXiv 1807.11164, parts even from odd channels. PyTorch code does it with
reshape (b·c/2, 2, h·w), transpose, reshape (2, b, c/2, h, w) and index, whose sizes the exporter
fixes. A slice of every second channel is the same and fixes nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper

TO_THE_END = np.iinfo(np.int64).max


def free_channel_shuffles(graph: GraphProto) -> None:
    """Replace every shuffle of a graph; one that has none is left as it is."""
    made_by = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        found = _even_or_odd(graph, node, made_by)
        if found is not None:
            node.CopyFrom(_every_second(graph, *found, node.output[0]))
    _drop_unused(graph)


def constant_of(graph: GraphProto, name: str) -> NDArray[Any] | None:
    """The value of a tensor that is fixed in the graph, else None."""
    for initializer in graph.initializer:
        if initializer.name == name:
            return numpy_helper.to_array(initializer)
    return None


def _even_or_odd(
    graph: GraphProto, node: NodeProto, made_by: dict[str, NodeProto]
) -> tuple[str, int] | None:
    """What is shuffled and whether `node` gives the even (0) or the odd (1) channels."""
    chain = [node]
    for op in ("Gather", "Reshape", "Transpose", "Reshape"):
        if chain[-1].op_type != op:
            return None
        chain.append(made_by.get(chain[-1].input[0], NodeProto()))
    gather, split, transpose, pair, _ = chain
    parity = constant_of(graph, gather.input[1])
    halves, pairs = (constant_of(graph, reshape.input[1]) for reshape in (split, pair))
    if parity is None or halves is None or pairs is None:
        return None
    swaps = list(helper.get_node_attr_value(transpose, "perm")) == [1, 0, 2]
    shuffles = swaps and pairs.size == 3 and pairs[1] == 2 and halves.size == 5 and halves[0] == 2
    return (pair.input[0], int(parity)) if shuffles and parity.size == 1 else None


def _every_second(graph: GraphProto, channels: str, first: int, output: str) -> NodeProto:
    names = [f"{output}/{word}" for word in ("starts", "ends", "axes", "steps")]
    for name, value in zip(names, (first, TO_THE_END, 1, 2), strict=True):
        graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    return helper.make_node("Slice", [channels, *names], [output], f"{output}/every_second")


def _drop_unused(graph: GraphProto) -> None:
    used = {value.name for value in graph.output}
    for node in reversed(list(graph.node)):
        if used.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            used.update(node.input)
