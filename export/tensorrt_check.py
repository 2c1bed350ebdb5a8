"""Whether a real TensorRT parses and builds a graph. TensorRT for RTX builds without a GPU."""

from types import ModuleType

from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.plan import build_plan as built_plan
from stopline.export.raw import ExportError
from stopline.runtime.backends import tensorrt_library
from stopline.runtime.backends.backend import NotHere
from stopline.runtime.backends.tensorrt_library import tensorrt_log as _log

__all__ = ["TensorRTError", "_log", "build_plan", "tensorrt_module"]


class TensorRTError(ExportError):
    """A graph that TensorRT does not take; says what it says."""


def build_plan(model: bytes, largest_batch: int = 1) -> bytes:
    """The serialized engine of an ONNX file, strongly typed: precision is what the graph says.

    A graph with an open batch gets one optimization profile, for 1 to `largest_batch` images.
    Raises TensorRTError if it cannot be parsed or built, ImportError without TensorRT.
    """
    tensorrt_module()
    try:
        return built_plan(model, BuildSettings(largest_batch=largest_batch)).content
    except EngineError as error:
        raise TensorRTError(str(error)) from error


def tensorrt_module() -> ModuleType:
    """TensorRT, or TensorRT for RTX, whose Python API is the same."""
    try:
        return tensorrt_library.tensorrt_module()
    except NotHere as error:
        raise ImportError(str(error)) from error
