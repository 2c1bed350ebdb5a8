"""ONNX Runtime, on the CPU and through CUDA."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stopline.runtime.backend import BackendError, Outputs, check_tensors
from stopline.runtime.manifest import Input

if TYPE_CHECKING:
    import onnxruntime

OUTPUTS = ["boxes", "scores", "classes"]


def open_cpu(model: Path, shape: Input, threads: int) -> "OnnxRuntime":
    """On the CPU, with that many threads."""
    return OnnxRuntime("onnxruntime", model, shape, _session(model, threads, "CPU"))


def open_cuda(model: Path, shape: Input, threads: int) -> "OnnxRuntime":
    """On an NVIDIA GPU. Not run on a GPU yet: no machine of this project had one."""
    return OnnxRuntime("cuda", model, shape, _session(model, threads, "CUDA"))


def open_exact(model: Path, shape: Input, threads: int) -> "OnnxRuntime":
    """On the CPU, every node as it is written: what a Q/DQ graph means, not how a CPU hurries it.

    A CPU's integer kernels may saturate where it has no VNNI, and give another answer.
    """
    return OnnxRuntime("exact", model, shape, _session(model, threads, "CPU", optimised=False))


class OnnxRuntime:
    """A graph in an ONNX Runtime session."""

    def __init__(
        self, name: str, model: Path, shape: Input, session: "onnxruntime.InferenceSession"
    ) -> None:
        inputs = {
            node.name: (node.type.removeprefix("tensor(").removesuffix(")"), node.shape)
            for node in session.get_inputs()
        }
        check_tensors(model, shape, inputs, {node.name for node in session.get_outputs()})
        self.name = name
        self.frames = np.empty((shape.batch, shape.height, shape.width, 3), np.uint8)
        self._session = session

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`."""
        return Outputs(*self._session.run(OUTPUTS, {"frames": self.frames[:count]}))

    def close(self) -> None:
        """Give back the memory of the graph."""
        del self._session


def _session(
    model: Path, threads: int, device: str, *, optimised: bool = True
) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors
    except ImportError as error:
        raise BackendError("not installed: `pip install stopline[cpu]` brings it") from error
    provider = f"{device}ExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise BackendError(f"this onnxruntime has no {provider}: install stopline[gpu]")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings would break the one-line rule
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    )
    broken = (errors.Fail, errors.InvalidGraph, errors.InvalidProtobuf, errors.NotImplemented)
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=[provider])
    except broken as error:
        raise BackendError(f"onnxruntime cannot load {model}: {_first_line(error)}") from error
    if provider not in session.get_providers():  # it falls back to the CPU without an error
        raise BackendError(f"onnxruntime could not start {provider} on this machine")
    return session


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
