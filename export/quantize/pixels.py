"""Tensors that hold nothing but pixels, which 256 steps hold without loss.

A pixel is an integer of 0..255, times what the graph divides it by. Less the middle, 128 steps,
it is exactly an int8; a scale from calibration would round it and waste a bit of sign.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from stopline.export.quantize.activation import LOWEST, Activation

# These move values and change none.
MOVES = frozenset(
    {"Cast", "Transpose", "Slice", "Concat", "Gather", "Reshape", "Split", "Identity"}
    | {"SpaceToDepth", "Squeeze", "Unsqueeze"}
)


def pixel_steps(model: ModelProto) -> dict[str, float]:
    """Of the tensors that hold pixels, the difference between one grey and the next."""
    fixed = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    steps = {"frames": 1.0}
    for node in model.graph.node:
        step = _step(node, steps, fixed)
        if step is not None:
            steps.update(dict.fromkeys(node.output, step))
    return steps


def pixel_activation(step: float, channels: int) -> Activation:
    """Without loss."""
    middle = np.full(channels, -LOWEST * step, np.float32)
    return Activation(float(np.float32(step)), shift=middle)


def _step(
    node: NodeProto, steps: Mapping[str, float], fixed: Mapping[str, NDArray[np.generic]]
) -> float | None:
    flowing = [name for name in node.input if name and name not in fixed]
    given = {steps.get(name) for name in flowing}
    if len(given) != 1:
        return None
    (step,) = given
    if step is None or node.op_type in MOVES:
        return step
    if node.op_type in ("Mul", "Div") and node.input[0] in steps and node.input[1] in fixed:
        by = fixed[node.input[1]]
        if by.size == 1 and by.item() > 0:
            factor = float(by.item())
            return step * factor if node.op_type == "Mul" else step / factor
    return None
