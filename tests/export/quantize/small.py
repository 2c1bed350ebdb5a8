"""A graph of five layers of which one, `net/bad`, cannot be INT8; and scores that are quick.

To all channels of what `net/bad` reads the brightness is added, a hundredfold. Its weights add up
to nothing, so in float the brightness cancels; in INT8 one step of it is more than all the rest.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from stopline.export.intermediate import Inside
from stopline.export.quantize.calibration import CalibrationSet
from stopline.export.quantize.int8 import Int8Recipe, Int8Settings, prepared
from stopline.export.quantize.search import Found, SearchSettings, search
from stopline.runtime.arrays import Frames
from stopline.runtime.manifest import Calibration

SIDE = 16
BAD = "net/bad"
LAYERS = ("net/first", BAD, "net/good", "net/wide", "net/head")
CHANNELS = (3, 8, 8, 8, 24, 4)
LOUD = 100.0


def small_model() -> ModelProto:
    """`frames` → prepare/ → five 1x1 convolutions with ReLU between → `scores`."""
    random = np.random.default_rng(0)
    node = helper.make_node
    nodes = [
        node("Cast", ["frames"], ["float"], "prepare/cast", to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["nchw"], "prepare/nchw", perm=[0, 3, 1, 2]),
        node("Mul", ["nchw", "net/loud"], ["net/louder"], "net/louder"),
        node("ReduceMean", ["net/louder", "net/channels"], ["net/brightness"], "net/brightness"),
    ]
    fixed: dict[str, NDArray[Any]] = {
        "net/loud": np.array(LOUD, np.float32),
        "net/channels": np.array([1], np.int64),
    }
    flowing = "nchw"
    for name, inner, outer in zip(LAYERS, CHANNELS, CHANNELS[1:], strict=False):
        weight = random.normal(0, inner**-0.5, (outer, inner, 1, 1)).astype(np.float32)
        if name == BAD:
            weight -= weight.mean(axis=1, keepdims=True)
            nodes.append(node("Add", [flowing, "net/brightness"], ["net/bright"], "net/bright"))
            flowing = "net/bright"
        fixed[f"{name}/weight"] = weight
        nodes.append(node("Conv", [flowing, f"{name}/weight"], [f"{name}/output"], name))
        flowing = f"{name}/relu"
        nodes.append(node("Relu", [f"{name}/output"], [flowing], flowing))
    nodes[-1] = node("ReduceMax", ["net/head/output"], ["scores"], "decode/max")
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, [1, SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 1, 1])],
        [numpy_helper.from_array(values, name) for name, values in fixed.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model


def noise_frames(count: int = 4, seed: int = 0) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


def small_calibration(count: int = 32) -> CalibrationSet:
    about = Calibration(dataset="noise", images=count, sha256="0" * 64, strata={})
    return CalibrationSet(noise_frames(count, seed=1), about)


def small_recipe() -> Int8Recipe:
    """Each layer fitted to what FP32 gives it, so that none makes up for another."""
    settings = Int8Settings(float_layers=frozenset(LAYERS))
    return prepared(small_model(), small_calibration(), settings)


@dataclass
class NoiseScore:
    """1 less what is noise, at most `ceiling`; counts how often it was asked."""

    ceiling: float = 1.0
    seconds: float = 0.0  # that each takes
    about: str = "1 - noise"
    asked: int = 0

    def __post_init__(self) -> None:
        self._wanted = _heads(small_model())

    def __call__(self, model: ModelProto) -> float:
        self.asked += 1
        time.sleep(self.seconds)
        return min(self.ceiling, 1 - self._noise(model))

    def noise(self, model: ModelProto) -> float:
        self.asked += 1
        return self._noise(model)

    def _noise(self, model: ModelProto) -> float:
        error = _heads(model) - self._wanted
        return float(np.mean(error**2) / np.var(self._wanted))


@dataclass
class TableScore:
    """A score that is known: 1 less what each layer in INT8 loses."""

    lost: dict[str, float]
    about: str = "a table"

    def __call__(self, model: ModelProto) -> float:
        return 1 - self.noise(model)

    def noise(self, model: ModelProto) -> float:
        return sum(self.lost[name] for name in quantized_in(model))


def quantized_in(model: ModelProto) -> set[str]:
    """The layers that are INT8."""
    return {
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] != f"{node.name}/weight"
    }


def _heads(model: ModelProto) -> NDArray[Any]:
    """(frames, 1, channels, h, w)"""
    inside = Inside(model, ["net/head/output"])
    return np.stack(
        [inside({"frames": frame[None]})["net/head/output"] for frame in noise_frames()]
    )


def searched(
    work: Path,
    score: NoiseScore | TableScore,
    settings: SearchSettings | None = None,
    said: list[str] | None = None,
) -> Found:
    """`net/bad` in float is what it takes."""
    recipe = small_recipe()
    lines: list[str] = [] if said is None else said
    return search(
        recipe,
        score,
        settings or SearchSettings(),
        work,
        lambda text, done: lines.append(f"{done:.2f} {text}"),
    )


def main(work: str, seconds: str) -> None:
    """A slow search, for one who kills it."""
    searched(Path(work), NoiseScore(seconds=float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
