"""A TensorRT engine, run through fixed memory and one CUDA graph for each batch size.

Executing needs a GPU, and no machine of this project had one: every name is checked against the
lists of TensorRT 10.3, 11.4 and RTX 1.7.1, and the order of calls against a stand-in for CUDA.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from stopline.runtime.arrays import Frames
from stopline.runtime.backends.backend import BackendError, Graph, NotHere, Outputs, check_tensors
from stopline.runtime.backends.cuda import Cuda, Pinned, cuda_runtime
from stopline.runtime.backends.engine import find_engine, has_engines, this_place
from stopline.runtime.backends.tensorrt_library import by_name, tensorrt_log, tensorrt_module
from stopline.runtime.manifest import Input

# TensorRT's name of a type → NumPy's. Those of the graph contract; INT32 or INT64 for classes.
NUMPY = {"UINT8": "uint8", "FLOAT": "float32", "INT32": "int32", "INT64": "int64"}


def open_tensorrt(graph: Graph, threads: int) -> "TensorRT":
    """The engine that `stopline build` made of the graph for this very board."""
    try:
        here = this_place()
    except NotHere as error:
        if has_engines(graph.bundle):  # a bundle with engines was meant for them
            raise BackendError(f"{error}; the bundle's engines are not used") from error
        raise
    found = find_engine(graph.bundle, graph.precision, here)
    return TensorRT(found.plan, graph.shape, tensorrt_module(), Cuda(cuda_runtime()))


class TensorRT:
    """Frames go to the GPU, through the engine and back in one stream, from pinned memory.

    A batch size that comes for the first time gets its context and its CUDA graph then; after
    that nothing is allocated. `frames` and what `run` gives are no more once it is closed.
    """

    name = "tensorrt"

    def __init__(self, plan: bytes, shape: Input, trt: ModuleType | Any, cuda: Cuda) -> None:
        """Raise BackendError for a plan that this TensorRT does not take."""
        self._cuda = cuda
        self._told = tensorrt_log(trt).told
        self._told.forget()
        self._runtime = trt.Runtime(tensorrt_log(trt))
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise BackendError(f"{trt.__name__} refuses the plan: {self._told.first_error()}")
        self._check(shape, trt)
        self._stream = cuda.stream()
        self._pinned: dict[str, Pinned] = {}
        self._device: dict[str, int] = {}
        self._graphs: list[Any] = []
        self._contexts: list[Any] = []  # a graph lives no longer than the context it is of
        self._ready: dict[int, Callable[[], None]] = {}
        self.frames: Frames = np.empty((0, shape.height, shape.width, 3), np.uint8)
        try:
            for name, dtype in self._tensors().items():
                self._allocate(name, dtype, shape.batch)
        except BackendError:
            self.close()
            raise
        self.frames = self._pinned["frames"].array

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`."""
        ready = self._ready.get(count)
        if ready is None:
            ready = self._ready[count] = self._prepared(count)
        ready()
        self._cuda.wait(self._stream)
        boxes, scores, classes = (
            self._pinned[name].array[:count] for name in ("boxes", "scores", "classes")
        )
        return Outputs(boxes, scores, classes)

    def close(self) -> None:
        """Give back the memory of the GPU and of the host."""
        if self._engine is None:
            return
        self.frames = np.empty((0, *self.frames.shape[1:]), np.uint8)
        self._cuda.free(
            graphs=self._graphs,
            device=list(self._device.values()),
            pinned=list(self._pinned.values()),
        )
        self._cuda.end(self._stream)
        self._ready.clear()
        self._contexts.clear()
        self._engine = self._runtime = None

    def _prepared(self, count: int) -> Callable[[], None]:
        context = self._context(count)
        # Once before it is recorded: the first run with a shape does work that is not of it.
        self._enqueue(context, count)
        self._cuda.wait(self._stream)
        can_record = by_name(context, "is_stream_capturable")
        if can_record is not None and not can_record(int(self._stream)):
            return partial(self._enqueue, context, count)
        with self._cuda.recording(self._stream, self._graphs):
            self._enqueue(context, count)
        return partial(self._cuda.launch, self._graphs[-1], self._stream)

    def _context(self, count: int) -> Any:
        """One for each batch size: a graph is of no use once its context has another shape."""
        context = self._engine.create_execution_context()
        if context is None:
            raise BackendError(f"no memory for the engine: {self._told.first_error()}")
        self._contexts.append(context)
        took = [
            context.set_optimization_profile_async(0, int(self._stream)),
            context.set_input_shape("frames", (count, *self.frames.shape[1:])),
            *(context.set_tensor_address(name, at) for name, at in self._device.items()),
        ]
        if not all(took):
            raise BackendError(f"the engine takes no {count} frames: {self._told.first_error()}")
        return context

    def _enqueue(self, context: Any, count: int) -> None:
        sizes = {name: one.array[:count].nbytes for name, one in self._pinned.items()}
        host, device = self._pinned["frames"].address, self._device["frames"]
        self._cuda.to_device(device, host, sizes["frames"], self._stream)
        if not context.execute_async_v3(int(self._stream)):
            raise BackendError(f"TensorRT cannot run the engine: {self._told.first_error()}")
        for name in ("boxes", "scores", "classes"):
            host, device = self._pinned[name].address, self._device[name]
            self._cuda.to_host(host, device, sizes[name], self._stream)

    def _allocate(self, name: str, dtype: np.dtype[Any], batch: int) -> None:
        _, *rest = self._engine.get_tensor_shape(name)
        self._pinned[name] = self._cuda.pinned((batch, *rest), dtype)
        self._device[name] = self._cuda.device(self._pinned[name].array.nbytes)

    def _tensors(self) -> dict[str, np.dtype[Any]]:
        """Every input and output, with its type in NumPy."""
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        return {name: _numpy_type(self._engine.get_tensor_dtype(name).name) for name in names}

    def _check(self, shape: Input, trt: ModuleType | Any) -> None:
        engine = self._engine
        is_input = {
            name: engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT for name in self._tensors()
        }
        inputs = {
            name: (str(dtype), list(engine.get_tensor_shape(name)))
            for name, dtype in self._tensors().items()
            if is_input[name]
        }
        outputs = {name for name, whether in is_input.items() if not whether}
        check_tensors("the engine", shape, inputs, outputs)


def _numpy_type(name: str) -> np.dtype[Any]:
    if name not in NUMPY:
        raise BackendError(f"the engine has a tensor of {name}: wanted {', '.join(NUMPY)}")
    return np.dtype(NUMPY[name])
