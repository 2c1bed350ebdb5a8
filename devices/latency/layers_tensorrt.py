"""TensorRT's `IProfiler`: milliseconds of each layer of an engine, told after each run.

Not run on a GPU yet: its names are checked against TensorRT 10.3, 11.4 and RTX 1.7.1.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stopline.runtime.arrays import Frames
from stopline.runtime.backends.backend import BackendError, Graph
from stopline.runtime.backends.cuda import Cuda, cuda_runtime
from stopline.runtime.backends.engine import find_engine, this_place
from stopline.runtime.backends.tensorrt_backend import NUMPY
from stopline.runtime.backends.tensorrt_library import tensorrt_log, tensorrt_module

REFORMATTING = (
    "Reformatting"  # how TensorRT calls the copies that it adds: "Reformatting CopyNode…"
)

Took = list[tuple[str, str, float]]
Opened = tuple[str, Callable[[], object], Callable[[], Iterator[tuple[str, str, float]]]]


def tensorrt_pass(graph: Graph, threads: int, frames: Frames) -> Opened:
    """An engine and a context of their own: a CUDA graph, as the backend uses, tells nothing."""
    trt, cuda = tensorrt_module(), Cuda(cuda_runtime())
    runtime = trt.Runtime(tensorrt_log(trt))
    found = find_engine(graph.bundle, graph.precision, this_place())
    engine = runtime.deserialize_cuda_engine(found.plan)
    context = engine.create_execution_context()
    took: Took = []
    context.profiler = _listener(trt, took)
    stream = cuda.stream()
    context.set_optimization_profile_async(0, int(stream))
    context.set_input_shape("frames", frames.shape)
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        dtype = np.dtype(NUMPY[engine.get_tensor_dtype(name).name])
        _, *rest = engine.get_tensor_shape(name)
        context.set_tensor_address(name, cuda.device(dtype.itemsize * int(np.prod(rest))))

    def run() -> None:
        if not context.execute_async_v3(int(stream)):
            raise BackendError("TensorRT cannot run the engine while it is profiled")
        cuda.wait(stream)

    run()  # once for what the first run does beside
    took.clear()
    return "tensorrt", run, lambda: iter(took)


def _listener(trt: Any, took: Took) -> Any:
    class Listener(trt.IProfiler):  # type: ignore[misc, name-defined, unused-ignore]  # known at run time
        def __init__(self) -> None:
            super().__init__()

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            kind = "reformat" if layer_name.startswith(REFORMATTING) else "layer"
            took.append((layer_name, kind, ms))

    return Listener()
