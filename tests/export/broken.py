"""A sound graph broken in the ways that exporters break them, each by an edit of the ONNX."""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

NET_OUTPUT = "net/output"  # a YOLOX joins boxes and scores there
SHIFT_PX = 24


def one_scale(model: ModelProto, largest: float = 40.0) -> ModelProto:
    """Boxes and scores through one INT8 scale, which is that of the boxes: scores round to 0.

    As the two public full-INT8 builds of YOLOX-Nano; there the boxes suffer, as the scale is
    that of the scores.
    """
    broken = _copy(model)
    scale = _constant(broken.graph, np.float32(largest / 127), "one_scale")
    zero = _constant(broken.graph, np.int8(0), "one_zero")
    quantized, dequantized = f"{NET_OUTPUT}/quantized", f"{NET_OUTPUT}/dequantized"
    _between(
        broken.graph,
        NET_OUTPUT,
        [
            helper.make_node("QuantizeLinear", [NET_OUTPUT, scale, zero], [quantized], quantized),
            helper.make_node(
                "DequantizeLinear", [quantized, scale, zero], [dequantized], dequantized
            ),
        ],
    )
    return broken


def swapped_channels(model: ModelProto) -> ModelProto:
    """RGB where the contract says BGR."""
    broken = _copy(model)
    order = _constant(broken.graph, np.array([2, 1, 0], np.int64), "rgb")
    images = _cast(broken.graph).output[0]
    swap = helper.make_node("Gather", [images, order], ["swapped"], "prepare/swapped", axis=3)
    _between(broken.graph, images, [swap])
    return broken


def shifted_padding(model: ModelProto) -> ModelProto:
    """The picture lies elsewhere than the runtime thinks, as if padded on the other side."""
    broken = _copy(model)
    images = _cast(broken.graph).output[0]
    pads = _constant(broken.graph, np.array([0, SHIFT_PX, 0, 0, 0, -SHIFT_PX, 0, 0]), "pads")
    grey = _constant(broken.graph, np.float32(114), "grey")
    shift = helper.make_node("Pad", [images, pads, grey], ["shifted"], "prepare/shifted")
    _between(broken.graph, images, [shift])
    return broken


def corrupted_layer(model: ModelProto, index: int, by: float = 1.5) -> ModelProto:
    """One of the convolutions answers `by` times as much as it should."""
    broken = _copy(model)
    layer = [node for node in broken.graph.node if node.op_type == "Conv"][index]
    for weight in broken.graph.initializer:
        if weight.name == layer.input[1]:
            value = numpy_helper.to_array(weight) * np.float32(by)
            weight.CopyFrom(numpy_helper.from_array(value, weight.name))
    return broken


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _constant(graph: GraphProto, value: np.ndarray | np.generic, name: str) -> str:
    graph.initializer.append(numpy_helper.from_array(np.asarray(value), f"broken/{name}"))
    return f"broken/{name}"


def _cast(graph: GraphProto) -> NodeProto:
    """Where the uint8 frames become floats, (n, h, w, 3)."""
    cast: NodeProto = next(node for node in graph.node if node.input[0] == "frames")
    assert helper.get_node_attr_value(cast, "to") == TensorProto.FLOAT
    return cast


def _between(graph: GraphProto, tensor: str, chain: list[NodeProto]) -> None:
    """What reads `tensor` reads the end of the chain, which begins with it."""
    nodes = list(graph.node)
    made = next(at for at, node in enumerate(nodes) if tensor in node.output)
    for node in nodes:
        for index, name in enumerate(node.input):
            if name == tensor:
                node.input[index] = chain[-1].output[0]
    del graph.node[:]
    graph.node.extend([*nodes[: made + 1], *chain, *nodes[made + 1 :]])
