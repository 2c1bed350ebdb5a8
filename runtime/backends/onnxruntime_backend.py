"""ONNX Runtime on the CPU, and how a session of it is made for any device."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stopline.runtime.backends.backend import BackendError, NotHere, Outputs, check_tensors
from stopline.runtime.manifest import Input

if TYPE_CHECKING:
    import onnxruntime

OUTPUTS = ["boxes", "scores", "classes"]
CPU = "CPUExecutionProvider"
Provider = tuple[str, Mapping[str, Any]]  # its name and its options


def open_cpu(model: Path, shape: Input, threads: int) -> "OnnxRuntime":
    """On the CPU, with that many threads."""
    session = make_session(model, [(CPU, {})], session_options(threads))
    return OnnxRuntime("onnxruntime", model, shape, session)


def open_exact(model: Path, shape: Input, threads: int) -> "OnnxRuntime":
    """On the CPU, every node as it is written: what a Q/DQ graph means, not how a CPU hurries it.

    A CPU's integer kernels may saturate where it has no VNNI, and give another answer.
    """
    options = session_options(threads, optimised=False)
    return OnnxRuntime("exact", model, shape, make_session(model, [(CPU, {})], options))


class OnnxRuntime:
    """A graph in an ONNX Runtime session."""

    def __init__(
        self, name: str, model: Path, shape: Input, session: "onnxruntime.InferenceSession"
    ) -> None:
        check_session(model, shape, session)
        self.name = name
        self.frames = np.empty((shape.batch, shape.height, shape.width, 3), np.uint8)
        self._session = session

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`."""
        return Outputs(*self._session.run(OUTPUTS, {"frames": self.frames[:count]}))

    def close(self) -> None:
        """Give back the memory of the graph."""
        del self._session


def check_session(model: Path, shape: Input, session: "onnxruntime.InferenceSession") -> None:
    """Refuse a graph that is not in the contract."""
    inputs = {
        node.name: (node.type.removeprefix("tensor(").removesuffix(")"), node.shape)
        for node in session.get_inputs()
    }
    check_tensors(model, shape, inputs, {node.name for node in session.get_outputs()})


def refuse_absent(provider: str) -> None:
    """Raise NotHere if the onnxruntime that is installed was built without it."""
    if provider not in onnxruntime_module().get_available_providers():
        raise NotHere(f"this onnxruntime has no {provider}: install stopline[gpu]")


def make_session(
    model: Path | bytes, providers: Sequence[Provider], options: "onnxruntime.SessionOptions"
) -> "onnxruntime.InferenceSession":
    """With the first of `providers` at work; raises BackendError if it is not."""
    first, _ = providers[0]
    refuse_absent(first)
    ort = onnxruntime_module()
    name = "a graph in memory" if isinstance(model, bytes) else model
    try:
        session = ort.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=[one for one, _ in providers],
            provider_options=[dict(about) for _, about in providers],
            enable_fallback=0,  # to other providers, with lines on stdout
        )
    except failures() as error:
        raise BackendError(f"onnxruntime cannot load {name}: {first_line(error)}") from error
    if first not in session.get_providers():  # it falls back to the CPU without an error
        raise BackendError(f"onnxruntime could not start {first} on this machine")
    return session


def session_options(threads: int, *, optimised: bool = True) -> "onnxruntime.SessionOptions":
    """One run at a time; nothing but errors is logged."""
    ort = onnxruntime_module()
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings would break the one-line rule
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    )
    return options


def onnxruntime_module() -> Any:
    """ONNX Runtime, or BackendError that says what brings it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise NotHere("not installed: `pip install stopline[cpu]` brings it") from error
    return onnxruntime


def failures() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a graph or a device that it cannot do with."""
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    return (
        *(errors.Fail, errors.InvalidGraph, errors.InvalidProtobuf, errors.NotImplemented),
        *(errors.RuntimeException, errors.EPFail, errors.InvalidArgument),
        RuntimeError,  # of a provider whose libraries are not there
    )


def first_line(error: Exception) -> str:
    """The reason; what follows it is where in the library's source it came up."""
    return (str(error).splitlines() or [type(error).__name__])[0]
