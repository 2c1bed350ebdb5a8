"""OpenVINO: on x86 CPUs faster than ONNX Runtime for the same answer."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stopline.runtime.backends.backend import BackendError, NotHere, Outputs, check_tensors
from stopline.runtime.manifest import Input

if TYPE_CHECKING:
    import openvino


def open_openvino(model: Path, shape: Input, threads: int) -> "OpenVino":
    """On the CPU, with that many threads."""
    try:
        import openvino
    except ImportError as error:
        raise NotHere("not installed: `pip install stopline[openvino]` brings it") from error
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",  # else bfloat16 where the CPU has it: another answer
    }
    try:
        compiled = openvino.Core().compile_model(str(model), "CPU", options)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BackendError(f"openvino cannot load {model}: {reason}") from error
    return OpenVino(model, shape, compiled)


class OpenVino:
    """A graph compiled by OpenVINO, with one request that is used again and again."""

    name = "openvino"

    def __init__(self, model: Path, shape: Input, compiled: "openvino.CompiledModel") -> None:
        inputs = {
            port.get_any_name(): (
                {"u8": "uint8"}.get(port.element_type.get_type_name(), "another type"),
                [None if dim.is_dynamic else dim.get_length() for dim in port.partial_shape],
            )
            for port in compiled.inputs
        }
        names = {name for port in compiled.outputs for name in port.names}
        check_tensors(model, shape, inputs, names)
        self.frames = np.empty((shape.batch, shape.height, shape.width, 3), np.uint8)
        self._request = compiled.create_infer_request()

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`, without copying them."""
        self._request.infer({"frames": self.frames[:count]}, share_inputs=True)
        boxes, scores, classes = (
            self._request.get_tensor(name).data for name in ("boxes", "scores", "classes")
        )
        return Outputs(boxes, scores, classes)

    def close(self) -> None:
        """Give back the memory of the graph."""
        del self._request
