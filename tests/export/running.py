"""Graphs in the contract run directly, without the runtime."""

from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from stopline.runtime.arrays import Frames


class Given(NamedTuple):
    """(n, k, 4), (n, k), (n, k)"""

    boxes: NDArray[Any]
    scores: NDArray[Any]
    classes: NDArray[Any]


def run_with_onnxruntime(model: ModelProto, frames: Frames) -> Given:
    """On the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Given(*session.run(["boxes", "scores", "classes"], {"frames": frames}))


def run_with_openvino(model: ModelProto, frames: Frames) -> Given:
    """On the CPU, in float32."""
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    request = compiled.create_infer_request()
    request.infer({"frames": frames})
    names = ("boxes", "scores", "classes")
    return Given(*(np.array(request.get_tensor(name).data) for name in names))
