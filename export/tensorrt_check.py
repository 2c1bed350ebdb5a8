"""Whether a real TensorRT parses and builds a graph. TensorRT for RTX builds without a GPU."""

from stopline.devices.engines import plan
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings, Plan
from stopline.export.raw import ExportError
from stopline.runtime.backends.backend import NotHere


class TensorRTError(ExportError):
    """A graph that TensorRT does not take; says what it says."""


def build_plan(model: bytes, largest_batch: int = 1) -> Plan:
    """The engine of an ONNX file, strongly typed: precision is what the graph says.

    A graph with an open batch gets one optimization profile, for 1 to `largest_batch` images.
    Raises TensorRTError if it cannot be parsed or built, ImportError without TensorRT.
    """
    try:
        return plan.build_plan(model, BuildSettings(largest_batch=largest_batch))
    except NotHere as error:
        raise ImportError(str(error)) from error
    except EngineError as error:
        raise TensorRTError(str(error)) from error
