"""ONNX Runtime on an NVIDIA GPU: its CUDA and TensorRT providers, through bound memory.

Neither provider was run yet: no machine of this project had a GPU. The same binding code is run
on the CPU's memory by the tests.
"""

import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.backends.backend import BackendError, Graph, Outputs
from stopline.runtime.backends.onnxruntime_backend import (
    OUTPUTS,
    Provider,
    check_session,
    failures,
    first_line,
    make_session,
    onnxruntime_module,
    refuse_absent,
    session_options,
)
from stopline.runtime.backends.overheard import overheard
from stopline.runtime.manifest import ENGINES, Precision

if TYPE_CHECKING:
    import onnxruntime

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
CACHE = "onnxruntime"  # under engines/: the engines that the provider builds for itself

# Where ONNX Runtime logs why a provider's library does not load; it raises only that it did not.
CAUSE = re.compile(r"with error: (.+)$", re.MULTILINE)
# An ONNX file, since this folder has no onnx to make it: ir 8, opset 13, `y = x + x` of a float.
PROBE = bytes.fromhex(
    "080812003a380a0e0a01780a017812017922034164641204646f7562"
    "5a0f0a0178120a0a08080112040a020801620f0a0179120a0a08080112040a02080142040a00100d"
)


def open_cuda(graph: Graph, threads: int) -> "BoundOnnxRuntime":
    """Through CUDA; BackendError if a tiny graph shows that CUDA does not work here."""
    return _opened("cuda", graph, [(CUDA, {"device_id": 0})], threads)


def open_tensorrt_provider(graph: Graph, threads: int) -> "BoundOnnxRuntime":
    """Through ONNX Runtime's TensorRT, which builds engines when it opens: for minutes at first."""
    about = tensorrt_options(graph.precision, graph.bundle.path / ENGINES / CACHE)
    providers: list[Provider] = [(TENSORRT, about), (CUDA, {"device_id": 0})]
    return _opened("onnxruntime-tensorrt", graph, providers, threads)


def tensorrt_options(precision: Precision, cache: Path) -> dict[str, str]:
    """Precisions that the graph does not use stay off: TensorRT would lower others to them."""
    options = {
        "device_id": "0",
        "trt_fp16_enable": str(int(precision == "fp16")),
        "trt_int8_enable": str(int(precision == "int8")),
    }
    if os.access(cache.parent if cache.parent.exists() else cache.parent.parent, os.W_OK):
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(cache),
        }
    return options


def provider_failure(provider: str) -> str | None:
    """Why a provider does not work here, found by running a graph on it; None if it works.

    A wheel lists CUDA on any machine, and starts it on some that cannot run it.
    """
    with overheard() as heard:
        failure = _probed(provider)
    if failure is None:
        return None
    cause = CAUSE.search(heard.text)
    return f"{provider} does not start: {cause[1]}" if cause else failure


def _probed(provider: str) -> str | None:
    try:
        ort = onnxruntime_module()
        session = make_session(PROBE, [(provider, {})], session_options(threads=1))
        (doubled,) = session.run(None, {"x": np.array([1], np.float32)})
    except BackendError as error:
        return str(error)
    except failures() as error:
        return f"{provider} cannot run a graph: {first_line(error)}"
    if doubled.tolist() != [2.0]:
        return f"{provider} of onnxruntime {ort.__version__} adds 1 and 1 to {doubled.tolist()}"
    return None


class BoundOnnxRuntime:
    """A session whose frames and outputs stay where they are, on the device and on the host."""

    def __init__(
        self,
        name: str,
        graph: Graph,
        session: "onnxruntime.InferenceSession",
        device: str = "cuda",
    ) -> None:
        check_session(graph.file, graph.shape, session)
        shape = graph.shape
        self.name = name
        self.frames = np.zeros((shape.batch, shape.height, shape.width, 3), np.uint8)
        self._session = session
        self._device = device
        self._boxes = graph.bundle.manifest.boxes
        self._bound: dict[int, _Bound] = {}

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`."""
        bound = self._bound.get(count)
        if bound is None:
            bound = self._bound[count] = self._bind(count)
        try:
            bound.update(self.frames[:count])
            bound.run()
        except failures() as error:
            raise BackendError(f"{self.name} failed: {first_line(error)}") from error
        return bound.outputs

    def close(self) -> None:
        """Give back the memory of the graph."""
        self._bound.clear()
        del self._session

    def _bind(self, count: int) -> "_Bound":
        ort = onnxruntime_module()
        frames = ort.OrtValue.ortvalue_from_shape_and_type(
            self.frames[:count].shape, np.uint8, self._device, 0
        )
        binding = self._session.io_binding()
        binding.bind_ortvalue_input("frames", frames)
        host = self._host_arrays(count)
        for name in OUTPUTS:  # on the host: the provider copies them there at the end of a run
            binding.bind_ortvalue_output(name, ort.OrtValue.ortvalue_from_numpy(host[name]))
        run = partial(self._session.run_with_iobinding, binding)
        return _Bound(frames.update_inplace, run, Outputs(*(host[name] for name in OUTPUTS)))

    def _host_arrays(self, count: int) -> dict[str, NDArray[Any]]:
        wide = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
        (kind,) = (one.type for one in self._session.get_outputs() if one.name == "classes")
        return {
            "boxes": np.zeros((count, self._boxes, 4), np.float32),
            "scores": np.zeros((count, self._boxes), np.float32),
            "classes": np.zeros((count, self._boxes), wide[kind]),
        }


class _Bound:
    """What one batch size needs, made once."""

    def __init__(self, update: Any, run: Any, outputs: Outputs) -> None:
        self.update, self.run, self.outputs = update, run, outputs


def _opened(
    name: str, graph: Graph, providers: Sequence[Provider], threads: int
) -> BoundOnnxRuntime:
    for provider, _ in providers:
        refuse_absent(provider)
        if (failure := provider_failure(provider)) is not None:
            raise BackendError(failure)
    session = make_session(graph.file, providers, session_options(threads))
    return BoundOnnxRuntime(name, graph, session)
