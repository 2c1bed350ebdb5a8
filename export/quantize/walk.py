"""A graph run node by node on a few frames, in two versions side by side.

In the first every number is as FP32 has it. In the second the layers answer as the one who walks
says, so that what comes later sees the errors of what came before.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from stopline.export.quantize.layers import Layer, layers
from stopline.runtime.arrays import Frames

Array = NDArray[Any]
Arrays = Sequence[Array]  # one for each frame


class Flow(NamedTuple):
    """A tensor in both versions; where nothing differs yet they are the same object."""

    float: Arrays
    quantized: Arrays


AtLayer = Callable[[NodeProto, Layer, Flow], Flow]


def walk(model: ModelProto, frames: Frames, at_layer: AtLayer) -> None:
    """From the frames to the last layer; `at_layer` answers for each layer.

    A tensor is forgotten once nothing needs it.
    """
    of_name = {layer.name: layer for layer in layers(model)}
    last = max(at for at, node in enumerate(model.graph.node) if node.name in of_name)
    nodes = list(model.graph.node)[: last + 1]
    needed = {name: at for at, node in enumerate(nodes) for name in node.input}
    fixed = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    given = [frame[None] for frame in frames]
    flowing = {"frames": Flow(given, given)}
    for at, node in enumerate(nodes):
        if node.name in of_name:
            layer = of_name[node.name]
            flowing[layer.output] = at_layer(node, layer, flowing[layer.input])
        else:
            flowing |= _through(node, flowing, fixed)
        for name in [name for name in flowing if needed.get(name, -1) <= at]:
            del flowing[name]


def _through(node: NodeProto, flowing: dict[str, Flow], fixed: dict[str, Array]) -> dict[str, Flow]:
    names = [name for name in dict.fromkeys(node.input) if name]
    flows = [flowing[name] for name in names if name in flowing]
    run = NodeRunner(node)

    def answers(version: int) -> list[list[Array]]:
        """Of each frame, every output."""
        return [
            run([flowing[name][version][at] if name in flowing else fixed[name] for name in names])
            for at in range(len(flows[0].float))
        ]

    floats = answers(0)
    alike = all(flow.float is flow.quantized for flow in flows)
    quantized = floats if alike else answers(1)
    found = {}
    for index, name in enumerate(node.output):
        one = [each[index] for each in floats]
        found[name] = Flow(one, one if alike else [each[index] for each in quantized])
    return found


class NodeRunner:
    """One node in ONNX Runtime. Its session is made for the types that it is first given."""

    def __init__(self, node: NodeProto) -> None:
        self._node = node
        self._session: Any = None

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """Its outputs for its inputs, in their order and each once."""
        names = [name for name in dict.fromkeys(self._node.input) if name]
        if self._session is None:
            self._session = _session(self._node, dict(zip(names, inputs, strict=True)))
        outputs: list[Array] = self._session.run(None, dict(zip(names, inputs, strict=True)))
        return outputs


def _session(node: NodeProto, inputs: dict[str, Array]) -> Any:
    import onnxruntime

    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), None)
        for name, value in inputs.items()
    ]
    graph = helper.make_graph(
        [node], "one", values, [ValueInfoProto(name=name) for name in node.output]
    )
    alone = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        alone.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
