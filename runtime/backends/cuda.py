"""CUDA through cuda-python: memory, a stream, graphs. Every failure is one BackendError.

Not run on a GPU yet: no machine of this project had one. The calls are checked against the names
of cuda-python, and run against a stand-in that copies host memory.
"""

import ctypes
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stopline.runtime.backends.backend import BackendError, NotHere

MIB = 1 << 20
INSTALL = "install it with `pip install cuda-python`, of the CUDA version that this board has"


def cuda_runtime() -> ModuleType:
    """cuda-python's module of the CUDA runtime, which has moved once."""
    for name in ("cuda.bindings.runtime", "cuda.cudart"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:  # noqa: PERF203 - two tries
            continue
        except ImportError as error:  # libcudart or the driver is not there
            raise BackendError(f"cuda-python cannot be imported: {error}") from error
    raise NotHere(f"no cuda-python: {INSTALL}")


class Gpu(NamedTuple):
    """The GPU that CUDA gives first."""

    name: str
    sm: str  # compute capability, as in "8.7"
    memory_mib: int
    free_mib: int


class Cuda:
    """The calls that a backend needs, each checked."""

    def __init__(self, cudart: ModuleType | Any) -> None:
        self._cudart = cudart

    def gpu(self) -> Gpu:
        """Raises BackendError with CUDA's own reason where there is none."""
        cudart = self._cudart
        error, count = cudart.cudaGetDeviceCount()
        if int(error) != 0:
            raise NotHere(f"CUDA finds no GPU: {self._text(error)}")
        if count == 0:
            raise NotHere("CUDA finds no GPU")
        about = self._checked("read the GPU's properties", cudart.cudaGetDeviceProperties(0))
        free, total = self._checked("read the GPU's memory", cudart.cudaMemGetInfo())
        name = about.name.decode(errors="replace") if isinstance(about.name, bytes) else about.name
        return Gpu(name.rstrip("\0"), f"{about.major}.{about.minor}", total // MIB, free // MIB)

    def stream(self) -> Any:
        """In which work is done in order, apart from the default stream's."""
        flags = self._cudart.cudaStreamNonBlocking
        return self._checked("make a stream", self._cudart.cudaStreamCreateWithFlags(flags))

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> "Pinned":
        """Host memory that the GPU can copy to and from by itself."""
        wanted = np.dtype(dtype)
        size = int(np.prod(shape)) * wanted.itemsize
        address = self._checked(f"pin {size} bytes", self._cudart.cudaMallocHost(size))
        return Pinned(int(address), _array_at(int(address), shape, wanted))

    def device(self, size: int) -> int:
        """The address of that many bytes on the GPU."""
        address = self._checked(f"allocate {size} bytes", self._cudart.cudaMalloc(size))
        return int(address)

    def to_device(self, device: int, host: int, size: int, stream: Any) -> None:
        """Copy, in the stream."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        copied = self._cudart.cudaMemcpyAsync(device, host, size, kind, stream)
        self._checked("copy to the GPU", copied)

    def to_host(self, host: int, device: int, size: int, stream: Any) -> None:
        """Copy, in the stream."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        copied = self._cudart.cudaMemcpyAsync(host, device, size, kind, stream)
        self._checked("copy from the GPU", copied)

    def wait(self, stream: Any) -> None:
        """Until all that was put in the stream is done; an error of it surfaces here."""
        self._checked("run the engine", self._cudart.cudaStreamSynchronize(stream))

    @contextmanager
    def recording(self, stream: Any, into: "list[Any]") -> Iterator[None]:
        """What is put in the stream meanwhile is not done, but recorded as a graph."""
        cudart = self._cudart
        # Thread local: another thread, as OpenCV's, may go on allocating.
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._checked("begin a CUDA graph", cudart.cudaStreamBeginCapture(stream, mode))
        try:
            yield
        finally:  # ended in any case: a stream left recording can do nothing else
            ended = cudart.cudaStreamEndCapture(stream)
        graph = self._checked("end a CUDA graph", ended)
        into.append(self._checked("make a CUDA graph", cudart.cudaGraphInstantiate(graph, 0)))
        self._checked("free a CUDA graph's draft", cudart.cudaGraphDestroy(graph))

    def launch(self, graph: Any, stream: Any) -> None:
        """Do what was recorded."""
        self._checked("start a CUDA graph", self._cudart.cudaGraphLaunch(graph, stream))

    def free(self, *, graphs: "list[Any]", device: "list[int]", pinned: "list[Pinned]") -> None:
        """Give back; what CUDA says to it is of no use to anyone any more."""
        frees: list[tuple[Callable[[Any], Any], list[Any]]] = [
            (self._cudart.cudaGraphExecDestroy, graphs),
            (self._cudart.cudaFree, device),
            (self._cudart.cudaFreeHost, [one.address for one in pinned]),
        ]
        for free, held in frees:
            for one in held:
                free(one)
            held.clear()

    def end(self, stream: Any) -> None:
        """Give the stream back."""
        self._cudart.cudaStreamDestroy(stream)

    def _checked(self, doing: str, result: tuple[Any, ...]) -> Any:
        """What a call gave besides its error code: nothing, one thing, or a tuple."""
        error, *given = result
        if int(error) != 0:
            raise BackendError(f"CUDA cannot {doing}: {self._text(error)}")
        return given[0] if len(given) == 1 else tuple(given)

    def _text(self, error: Any) -> str:
        _, text = self._cudart.cudaGetErrorString(error)
        reason = text.decode() if isinstance(text, bytes) else str(text)
        return f"{reason} (error {int(error)})"


class Pinned(NamedTuple):
    """Host memory at a fixed address, seen as an array."""

    address: int
    array: NDArray[Any]


def first_gpu() -> Gpu:
    """What an engine would run on; raises BackendError with the reason where there is none."""
    return Cuda(cuda_runtime()).gpu()


def _array_at(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * dtype.itemsize
    memory = (ctypes.c_uint8 * size).from_address(address)
    array: NDArray[Any] = np.ndarray(shape, dtype, buffer=memoryview(memory))
    return array
