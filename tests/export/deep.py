"""A YOLOX-like detector of nine layers with random weights.

Strided, depthwise, pointwise and dense convolutions, a skip, three levels, probabilities.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from stopline.export.contract import in_contract
from stopline.export.families import Recognised, recognised
from stopline.export.raw import raw_of
from stopline.runtime.arrays import Frames

HW_DEEP = (64, 96)
CLASSES = 2
CELLS = 8 * 12 + 4 * 6 + 2 * 3


class _Net:
    """Appends nodes named for what they give."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._random = np.random.default_rng(3)

    def node(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], f"node_{name}", **attributes))
        return name

    def constant(self, value: NDArray[Any], name: str) -> str:
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(self, x: str, name: str, shape: tuple[int, ...], **attributes: Any) -> str:
        weight = self._random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        bias = self._random.normal(size=shape[0]) / 4
        names = [
            self.constant(weight.astype(np.float32), f"{name}.weight"),
            self.constant(bias.astype(np.float32), f"{name}.bias"),
        ]
        side = shape[2] // 2
        return self.node("Conv", [x, *names], name, pads=[side] * 4, **attributes)

    def silu(self, x: str) -> str:
        return self.node("Mul", [x, self.node("Sigmoid", [x], f"{x}.gate")], f"{x}.silu")


def deep_model() -> ModelProto:
    """As `deep_detector`, in the graph contract."""
    return in_contract(*deep_detector())


def deep_detector() -> Recognised:
    """Layers `net/node_stem`, `wide`, `deep`, `flat`, `down0`, `down1`, `head0` to `head2`."""
    net = _Net()
    x = net.node("Mul", ["images", net.constant(np.array(1 / 64, np.float32), "unit")], "scaled")
    x = net.silu(net.conv(x, "stem", (8, 3, 3, 3), strides=[4, 4]))
    x = wide = net.silu(net.conv(x, "wide", (16, 8, 3, 3), strides=[2, 2]))
    x = net.silu(net.conv(x, "deep", (16, 1, 3, 3), group=16))
    x = net.node("Add", [wide, net.silu(net.conv(x, "flat", (16, 16, 1, 1)))], "sum")
    levels = [x]
    for index in range(2):
        x = net.silu(net.conv(x, f"down{index}", (16, 16, 3, 3), strides=[2, 2]))
        levels.append(x)
    rows = [_head(net, level, index) for index, level in enumerate(levels)]
    net.node("Transpose", [net.node("Concat", rows, "rows", axis=2)], "output", perm=[0, 2, 1])
    graph = helper.make_graph(
        net.nodes,
        "deep",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *HW_DEEP])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, CELLS, 5 + CLASSES])],
        net.weights,
    )
    opset = [helper.make_opsetid("", 18)]
    return recognised(raw_of(helper.make_model(graph, opset_imports=opset), "deep"))


def deep_frames(count: int = 2) -> Frames:
    """Noise over gradients: something for every channel."""
    random = np.random.default_rng(5)
    ramp = np.linspace(0, 200, HW_DEEP[1])[None, None, :, None] * np.array([1, 0.6, 0.2])
    noise = random.integers(0, 56, (count, *HW_DEEP, 3))
    frames: Frames = (ramp + noise).astype(np.uint8)
    return frames


def _head(net: _Net, x: str, index: int) -> str:
    raw = net.conv(x, f"head{index}", (5 + CLASSES, 16, 1, 1))
    ends = [net.constant(np.array([end]), f"end{index}_{end}") for end in (0, 1, 4, 5 + CLASSES)]
    boxes = net.node("Slice", [raw, ends[0], ends[2], ends[1]], f"boxes{index}")
    logits = net.node("Slice", [raw, ends[2], ends[3], ends[1]], f"logits{index}")
    scores = net.node("Sigmoid", [logits], f"scores{index}")
    level = net.node("Concat", [boxes, scores], f"level{index}", axis=1)
    shape = net.constant(np.array([0, 5 + CLASSES, -1]), f"shape{index}")
    return net.node("Reshape", [level, shape], f"rows{index}")
