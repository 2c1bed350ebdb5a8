"""An FP32 graph in the contract → the same graph with INT8 layers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from onnx import ModelProto, NodeProto

from stopline.export.quantize.fitting import Fitting, FittingSettings
from stopline.export.quantize.layers import Layer, head_outputs, int8_share, layers
from stopline.export.quantize.loudest import loudest, noise_alone
from stopline.export.quantize.noise import AnswerNoise
from stopline.export.quantize.qdq import QuantizedLayer, with_qdq
from stopline.export.quantize.ranges import Reach, reaches
from stopline.export.quantize.walk import AtLayer, Flow, walk
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames

OnStep = Callable[[str, float], None]
OF_RANGES = 0.3  # of the time
HEARD_ON = 8  # frames
LEAST_INT8 = 0.85  # share of the multiply-accumulates


class Calibrating(Protocol):
    """`calibration.CalibrationSet` is one."""

    @property
    def frames(self) -> Frames: ...  # (n, h, w, 3)


@dataclass(frozen=True)
class Int8Settings:
    """`float_layers` None: those of `default_float_layers` and the loudest; see `loudest`."""

    float_layers: frozenset[str] | None = None
    least_int8: float = LEAST_INT8  # as far as the loudest may go
    fitting: FittingSettings = field(default_factory=FittingSettings)
    fitted_frames: int = 64  # that weights are fitted to, all in memory; ranges come from every one


class Int8(NamedTuple):
    """A graph, and how much of it is INT8."""

    model: ModelProto
    int8_macs: float  # share of all
    float_layers: tuple[str, ...]


class Int8Recipe:
    """What is slow, done once for every layer; `model` then takes any choice of float layers."""

    def __init__(self, model: ModelProto, quantized: tuple[QuantizedLayer, ...]) -> None:
        self._model = model
        self._quantized = quantized

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer that could be INT8, in the order of the graph."""
        return tuple(each.layer for each in self._quantized)

    def model(self, float_layers: Collection[str]) -> ModelProto:
        """All layers in INT8 but these."""
        known = {layer.name for layer in layers(self._model)}
        if unknown := sorted(set(float_layers) - known):
            raise ExportError(f"no layer {', '.join(unknown)}: `layers` lists their names")
        return with_qdq(
            self._model, [each for each in self._quantized if each.layer.name not in float_layers]
        )


def default_float_layers(model: ModelProto) -> frozenset[str]:
    """Depthwise convolutions, which are few MACs and suffer most, and what is decoded."""
    depthwise = {layer.name for layer in layers(model) if layer.kind == "depthwise"}
    return head_outputs(model) | depthwise


def prepared(
    model: ModelProto,
    calibration: Calibrating,
    settings: Int8Settings | None = None,
    on_step: OnStep = lambda text, done: None,
) -> Int8Recipe:
    """Find ranges and round weights. Raises ExportError if there is nothing to do it for, or with.

    Deterministic: the same graph and frames give the same bytes.
    """
    settings = settings or Int8Settings()
    every = layers(model)
    if not every:
        raise ExportError("the graph has no layer with weights in net/: nothing can be INT8")
    reach = _reach(model, every, calibration.frames, settings, on_step)
    _refuse_constant(every, reach, len(calibration.frames))
    floats = settings.float_layers
    if floats is None:
        floats = default_float_layers(model)
    fitting = Fitting(model, reach, floats, settings.fitting)
    frames = _spread(calibration.frames, settings.fitted_frames)
    walk(model, frames, _counted(fitting, len(every), on_step))
    return Int8Recipe(model, tuple(fitting.quantized))


def int8_model(
    model: ModelProto,
    calibration: Calibrating,
    settings: Int8Settings | None = None,
    on_step: OnStep = lambda text, done: None,
) -> Int8:
    """The INT8 variant; see `prepared` and `Int8Settings`."""
    settings = settings or Int8Settings()
    floats = settings.float_layers
    if floats is None:
        floats = chosen_float_layers(
            model, calibration, settings, lambda text, done: on_step(text, done / 2)
        )
        on_step = _second_half(on_step)
        settings = replace(settings, float_layers=floats)
    written = prepared(model, calibration, settings, on_step).model(floats)
    return Int8(written, int8_share(written), tuple(sorted(floats)))


def chosen_float_layers(
    model: ModelProto,
    calibration: Calibrating,
    settings: Int8Settings | None = None,
    on_step: OnStep = lambda text, done: None,
) -> frozenset[str]:
    """By default, and what is loudest of the others; see `Int8Settings`."""
    settings = settings or Int8Settings()
    usual = default_float_layers(model)
    # Fitted weights would undo what other layers do, and here each is alone.
    plain = replace(settings.fitting, rounding=replace(settings.fitting.rounding, fit=False))
    quick = replace(settings, float_layers=usual, fitting=plain, fitted_frames=HEARD_ON)
    recipe = prepared(model, calibration, quick, lambda text, done: on_step(text, done / 2))
    noise = AnswerNoise(model, _spread(calibration.frames, HEARD_ON))

    def on_layer(index: int, count: int) -> None:
        on_step(f"noise of layer {index}/{count} alone", 0.5 + index / count / 2)

    return usual | loudest(
        model, usual, noise_alone(recipe, usual, noise, on_layer), settings.least_int8
    )


def _second_half(on_step: OnStep) -> OnStep:
    return lambda text, done: on_step(text, 0.5 + done / 2)


def _spread(frames: Frames, most: int) -> Frames:
    """At most so many, from the first to the last."""
    at = np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int)
    some: Frames = frames[at]
    return some


def _reach(
    model: ModelProto,
    every: tuple[Layer, ...],
    frames: Frames,
    settings: Int8Settings,
    on_step: OnStep,
) -> dict[str, Reach]:
    tensors = sorted({layer.input for layer in every})
    counted = settings.fitting.ranges.method == "percentile"

    def on_frame(index: int) -> None:
        on_step(f"ranges {index}/{len(frames)}", OF_RANGES * index / len(frames))

    return reaches(model, tensors, frames, counted, on_frame)


def _refuse_constant(every: tuple[Layer, ...], reach: dict[str, Reach], images: int) -> None:
    for layer in every:
        if reach[layer.input].is_constant:
            raise ExportError(
                f"{layer.name}: its input {layer.input} is the same number everywhere in all "
                f"{images} calibration images, so it has no range: calibrate on pictures of "
                f"what the detector is for"
            )


def _counted(fitting: Fitting, count: int, on_step: OnStep) -> AtLayer:
    """The same, saying how far it is."""

    def at_layer(node: NodeProto, layer: Layer, flow: Flow) -> Flow:
        answer = fitting(node, layer, flow)
        done = len(fitting.quantized)
        on_step(f"weights {done}/{count}", OF_RANGES + (1 - OF_RANGES) * done / count)
        return answer

    return at_layer
