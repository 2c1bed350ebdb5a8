"""One walk through the graph that gives every layer its steps and its integers.

Layer by layer: what the layers before it give in INT8 is its input, and what it gives in FP32 is
what its weights are fitted and rounded to.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from stopline.export.quantize.activation import Activation
from stopline.export.quantize.layers import Layer
from stopline.export.quantize.pixels import pixel_activation, pixel_steps
from stopline.export.quantize.qdq import NO_PADS, QuantizedLayer, Weights
from stopline.export.quantize.ranges import RangeSettings, Reach, activation_of
from stopline.export.quantize.rounding import Rounded, RoundingSettings, rounded
from stopline.export.quantize.walk import Arrays, Flow, NodeRunner
from stopline.export.quantize.window import Window, patches, some_positions, window_of

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class FittingSettings:
    """`positions` are of all frames together."""

    ranges: RangeSettings = field(default_factory=RangeSettings)
    rounding: RoundingSettings = field(default_factory=RoundingSettings)
    positions: int = 8192  # that a layer is fitted to
    lossless_pixels: bool = True


class _Plain(NamedTuple):
    """A layer as FP32 has it."""

    node: NodeProto
    layer: Layer
    window: Window
    weight: Floats32  # (outputs, inputs of a group, kernel)
    bias: Floats32  # (outputs,)


class Fitting:
    """What `walk` asks at each layer; `quantized` has the layers that can be INT8, in order."""

    def __init__(
        self,
        model: ModelProto,
        reaches: Mapping[str, Reach],
        in_float: Collection[str],
        settings: FittingSettings,
    ) -> None:
        """`in_float` are the layers whose answers go on in float."""
        self.quantized: list[QuantizedLayer] = []
        self._fixed = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self._steps = pixel_steps(model) if settings.lossless_pixels else {}
        self._reaches, self._in_float, self._settings = reaches, in_float, settings
        self._random = np.random.default_rng(0)

    def __call__(self, node: NodeProto, layer: Layer, flow: Flow) -> Flow:
        """What the layer gives in both versions."""
        weight = self._fixed[layer.weight]
        window = window_of(node, weight.shape)
        if window is None:
            run = NodeRunner(node)
            others = [self._fixed[name] for name in node.input[1:]]
            versions = [[run([x, *others])[0] for x in xs] for xs in flow]
            return Flow(*versions)
        bias = self._fixed[layer.bias] if layer.bias else np.zeros(len(weight), np.float32)
        plain = _Plain(node, layer, window, weight, bias)
        targets = _convolved(node, flow.float, weight, bias)
        each = self._fitted(plain, flow.quantized, targets)
        self.quantized.append(each)
        if layer.name in self._in_float:
            same = flow.float is flow.quantized
            return Flow(
                targets, targets if same else _convolved(node, flow.quantized, weight, bias)
            )
        return Flow(targets, _answers(plain, each, flow.quantized))

    def _fitted(self, plain: _Plain, inputs: Arrays, targets: Arrays) -> QuantizedLayer:
        """Steps for the input, integers for the weights."""
        activation = self._activation(plain)
        height, width = targets[0].shape[2:]
        count = -(-self._settings.positions // len(inputs))
        seen, wanted = [], []
        for tensor, target in zip(inputs, targets, strict=True):
            at = some_positions((height, width), count, self._random)
            seen.append(patches(tensor, plain.window, at, width))
            wanted.append(target[0].reshape(len(target[0]), -1)[:, at].T)
        weights = _rounded_groups(
            plain,
            activation,
            activation.dequantized(np.concatenate(seen)),
            np.concatenate(wanted),
            self._settings.rounding,
        )
        border = plain.window.pads if activation.borders(plain.window) else NO_PADS
        return QuantizedLayer(plain.layer, activation, weights, border)

    def _activation(self, plain: _Plain) -> Activation:
        tensor, channels = plain.layer.input, plain.weight.shape[1] * plain.window.groups
        if tensor in self._steps:
            return pixel_activation(self._steps[tensor], channels)
        # A border of zeros would have to be brought along: a copy that costs more than it gives.
        shifted = not plain.window.is_padded
        return activation_of(self._reaches[tensor], self._settings.ranges, shifted)


def _rounded_groups(
    plain: _Plain,
    activation: Activation,
    seen: Floats32,
    wanted: Floats32,
    settings: RoundingSettings,
) -> Weights:
    """`seen` (positions, channels, taps) and `wanted` (positions, outputs), group by group."""
    groups = plain.window.groups
    weight = plain.weight.reshape(groups, len(plain.weight) // groups, -1).astype(np.float64)
    if activation.factor is not None:
        each = np.repeat(activation.factor.reshape(groups, -1), plain.weight[0, 0].size, axis=1)
        weight = weight / each[:, None, :]
    inputs = seen.reshape(len(seen), groups, -1).astype(np.float64)
    targets = wanted.reshape(len(wanted), groups, -1).astype(np.float64)
    found = [
        rounded(
            weight[group], inputs[:, group].astype(float), targets[:, group].astype(float), settings
        )
        for group in range(groups)
    ]
    return _together(found, plain.weight.shape)


def _together(found: list[Rounded], shape: tuple[int, ...]) -> Weights:
    values, scales, bias = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Weights(values.reshape(shape), scales, bias)


def _answers(plain: _Plain, each: QuantizedLayer, inputs: Arrays) -> Arrays:
    """What the layer gives in INT8."""
    weights = each.weights
    assert weights.bias is not None
    values = weights.values * weights.scales[:, None, None, None]
    seen = [each.activation.input_of_layer(tensor, plain.window) for tensor in inputs]
    return _convolved(plain.node, seen, values, weights.bias, bare=any(each.border))


def _convolved(
    node: NodeProto, inputs: Arrays, weight: Floats32, bias: Floats32, *, bare: bool = False
) -> list[NDArray[Any]]:
    """`bare` where the border is already in the inputs."""
    kept = [each for each in node.attribute if not (bare and each.name == "pads")]
    convolution = helper.make_node("Conv", ["x", "weight", "bias"], ["y"], node.name)
    convolution.attribute.extend(kept)
    run = NodeRunner(convolution)
    return [run([tensor, weight, bias])[0] for tensor in inputs]
