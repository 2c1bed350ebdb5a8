"""A stand-in for a GPU, in host memory, where none is: it does what it is told, in order.

Its CUDA really copies bytes between addresses, and only when the stream is waited for; its engine
is ONNX Runtime on the plan, which is an ONNX file. So a wrong address, size, order or direction
gives wrong boxes here as on a GPU. What it cannot show is that CUDA and TensorRT behave like it.
"""

import ctypes
from collections.abc import Callable
from enum import IntEnum
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import onnxruntime

Work: TypeAlias = Callable[[], object]
BROKEN = 700  # "an illegal memory access was encountered"


class _Kind(IntEnum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class HostCuda:
    """The functions of cuda-python's runtime that are used. Counts what is allocated."""

    cudaStreamNonBlocking = 1
    cudaMemcpyKind = _Kind
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(self) -> None:
        self.memory: dict[int, Any] = {}
        self.allocations = 0
        self.streams: dict[int, list[Work]] = {}
        self.recorded: dict[int, list[Work]] = {}
        self.graphs: dict[int, list[Work]] = {}
        self.launched = 0
        self.broken = False
        self._next = 100

    def cudaGetDeviceCount(self) -> tuple[int, int]:
        return 0, 1

    def cudaGetDeviceProperties(self, device: int) -> tuple[int, Any]:
        return 0, SimpleNamespace(name=b"Host\0\0", major=8, minor=7)

    def cudaMemGetInfo(self) -> tuple[int, int, int]:
        return 0, 1 << 30, 4 << 30

    def cudaGetErrorString(self, error: int) -> tuple[int, bytes]:
        return 0, b"an illegal memory access was encountered"

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[int, int]:
        stream = self._number()
        self.streams[stream] = []
        return 0, stream

    def cudaMallocHost(self, size: int) -> tuple[int, int]:
        memory = (ctypes.c_uint8 * size)()
        self.allocations += 1
        self.memory[ctypes.addressof(memory)] = memory
        return 0, ctypes.addressof(memory)

    cudaMalloc = cudaMallocHost

    def cudaFree(self, address: int) -> tuple[int]:
        del self.memory[address]
        return (0,)

    cudaFreeHost = cudaFree

    def cudaMemcpyAsync(
        self, to: int, source: int, size: int, kind: _Kind, stream: int
    ) -> tuple[int]:
        for address in (to, source):
            assert size <= len(self.memory[address]), "past the end of the memory"
        self.put(stream, lambda: ctypes.memmove(to, source, size))
        return (0,)

    def cudaStreamSynchronize(self, stream: int) -> tuple[int]:
        if self.broken:
            return (BROKEN,)
        assert stream not in self.recorded, "waited for a stream that is recording"
        work = self.streams[stream]
        while work:
            work.pop(0)()
        return (0,)

    def cudaStreamBeginCapture(self, stream: int, mode: int) -> tuple[int]:
        self.recorded[stream] = []
        return (0,)

    def cudaStreamEndCapture(self, stream: int) -> tuple[int, list[Work]]:
        return 0, self.recorded.pop(stream)

    def cudaGraphInstantiate(self, graph: list[Work], flags: int) -> tuple[int, int]:
        self.allocations += 1
        number = self._number()
        self.graphs[number] = list(graph)
        return 0, number

    def cudaGraphDestroy(self, graph: list[Work]) -> tuple[int]:
        graph.clear()
        return (0,)

    def cudaGraphExecDestroy(self, graph: int) -> tuple[int]:
        del self.graphs[graph]
        return (0,)

    def cudaGraphLaunch(self, graph: int, stream: int) -> tuple[int]:
        self.launched += 1
        for work in self.graphs[graph]:
            self.put(stream, work)
        return (0,)

    def cudaStreamDestroy(self, stream: int) -> tuple[int]:
        del self.streams[stream]
        return (0,)

    def put(self, stream: int, work: Work) -> None:
        """Later, or into the graph that is being recorded."""
        self.recorded.get(stream, self.streams[stream]).append(work)

    def _number(self) -> int:
        self._next += 1
        return self._next


class HostTensorRT:
    """The names of TensorRT that a backend uses, for plans that are ONNX files."""

    __name__ = "tensorrt"
    TensorIOMode = SimpleNamespace(INPUT="input", OUTPUT="output")

    class ILogger:
        ERROR, INTERNAL_ERROR = "error", "internal error"

    def __init__(self, cuda: HostCuda, *, capturable: bool | None = None) -> None:
        self._cuda = cuda
        self._capturable = capturable  # None: this version cannot say

    def Runtime(self, log: Any) -> Any:
        def deserialize(plan: bytes) -> Any:
            if plan == b"broken":
                log.log("error", "Serialization assertion failed. Magic tag does not match")
                return None
            return _Engine(self._cuda, onnxruntime.InferenceSession(plan), self._capturable)

        return SimpleNamespace(deserialize_cuda_engine=deserialize)


class _Engine:
    def __init__(self, cuda: HostCuda, session: Any, capturable: bool | None) -> None:
        self._cuda, self._session, self._capturable = cuda, session, capturable
        nodes = [(one, "input") for one in session.get_inputs()]
        nodes += [(one, "output") for one in session.get_outputs()]
        self._nodes = {one.name: (one, mode) for one, mode in nodes}
        self.num_io_tensors = len(self._nodes)

    def get_tensor_name(self, index: int) -> str:
        return str(list(self._nodes)[index])

    def get_tensor_mode(self, name: str) -> str:
        mode: str = self._nodes[name][1]
        return mode

    def get_tensor_dtype(self, name: str) -> Any:
        kinds = {"uint8": "UINT8", "float": "FLOAT", "int64": "INT64"}
        return SimpleNamespace(name=kinds[self._nodes[name][0].type[7:-1]])

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(-1 if isinstance(one, str) else one for one in self._nodes[name][0].shape)

    def create_execution_context(self) -> Any:
        context = _Context(self._cuda, self._session)
        if self._capturable is not None:
            capturable = self._capturable
            context.is_stream_capturable = lambda stream: capturable  # type: ignore[attr-defined]
        return context


class _Context:
    def __init__(self, cuda: HostCuda, session: Any) -> None:
        self._cuda, self._session = cuda, session
        self._addresses: dict[str, int] = {}
        self._shape: tuple[int, ...] = ()
        self._profile: int | None = None

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        self._profile = index
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shape = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        assert self._profile == 0
        self._cuda.put(stream, self._execute)
        return True

    def _execute(self) -> None:
        memory = self._cuda.memory[self._addresses["frames"]]
        size = int(np.prod(self._shape))
        frames = np.frombuffer(memory, np.uint8, size).reshape(self._shape)
        names = ["boxes", "scores", "classes"]
        for name, value in zip(names, self._session.run(names, {"frames": frames}), strict=True):
            content = np.ascontiguousarray(value)
            ctypes.memmove(self._addresses[name], content.ctypes.data, content.nbytes)
