"""What a convolution sees: its window, and the patches under it at some positions."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

Floats32 = NDArray[np.float32]
Positions = NDArray[np.int64]

PLAIN = ("NOTSET", "VALID")  # of auto_pad; SAME depends on the input


class Window(NamedTuple):
    """The geometry of a 2-D convolution. `pads`: top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    groups: int

    @property
    def is_padded(self) -> bool:
        """Whether it sees zeros that no image gave."""
        return any(self.pads)


def window_of(node: NodeProto, weight: tuple[int, ...]) -> Window | None:
    """None for what is no 2-D convolution, or leaves its pads to the runtime."""
    if node.op_type != "Conv" or len(weight) != 4:
        return None
    said = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    if said.get("auto_pad", b"NOTSET").decode() not in PLAIN:
        return None
    top, left, bottom, right = said.get("pads", [0] * 4)
    down, across = said.get("strides", [1, 1])
    apart_y, apart_x = said.get("dilations", [1, 1])
    kernel = (weight[2], weight[3])
    pads = (top, left, bottom, right)
    return Window(kernel, (down, across), pads, (apart_y, apart_x), said.get("group", 1))


def padded(tensor: Floats32, window: Window) -> Floats32:
    """(1, c, h, w) with the zeros that the convolution would add."""
    top, left, bottom, right = window.pads
    if not window.is_padded:
        return tensor
    return np.pad(tensor, ((0, 0), (0, 0), (top, bottom), (left, right)))


def patches(tensor: Floats32, window: Window, at: Positions, width: int) -> Floats32:
    """(1, c, h, w) → (positions, c, taps): what is under the window.

    `at` counts the positions of the output row by row, `width` to a row.
    """
    seen = padded(tensor, window)[0]
    rows, columns = at // width * window.strides[0], at % width * window.strides[1]
    taps = [
        seen[:, rows + y * window.dilations[0], columns + x * window.dilations[1]]
        for y in range(window.kernel[0])
        for x in range(window.kernel[1])
    ]
    found: Floats32 = np.stack(taps, -1).transpose(1, 0, 2)
    return found


def some_positions(
    output_hw: tuple[int, int], count: int, random: np.random.Generator
) -> Positions:
    """At most `count` different positions of an output."""
    every = output_hw[0] * output_hw[1]
    if every <= count:
        return np.arange(every)
    return np.sort(random.choice(every, count, replace=False))
