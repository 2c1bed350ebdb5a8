"""Whether a real TensorRT parses and builds a graph. TensorRT for RTX builds without a GPU.

Only names that TensorRT 10.3, 11.4 and TensorRT-RTX 1.7 all have are used.
"""

import functools
import importlib
from types import ModuleType
from typing import Any

from stopline.export.raw import ExportError


class TensorRTError(ExportError):
    """A graph that TensorRT does not take; says what it says."""


def build_plan(model: bytes, largest_batch: int = 1) -> bytes:
    """The serialized engine of an ONNX file, strongly typed: precision is what the graph says.

    A graph with an open batch gets one optimization profile, for 1 to `largest_batch` images.
    Raises TensorRTError if it cannot be parsed or built, ImportError without TensorRT.
    """
    trt = tensorrt_module()
    log = _log(trt)
    log.errors.clear()
    builder = trt.Builder(log)
    # The bits of the flags moved between versions; their names did not.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        told = [_told(parser.get_error(index)) for index in range(parser.num_errors)]
        raise TensorRTError(f"{trt.__name__} {trt.__version__} cannot parse it: {'; '.join(told)}")
    config = builder.create_builder_config()
    _add_profile(builder, network, config, largest_batch)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        told = log.errors or ["no reason given"]
        raise TensorRTError(f"{trt.__name__} {trt.__version__} cannot build it: {told[0]}")
    return bytes(plan)


def tensorrt_module() -> ModuleType:
    """TensorRT, or TensorRT for RTX, whose Python API is the same."""
    for name in ("tensorrt", "tensorrt_rtx"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:  # noqa: PERF203 - two tries
            continue
    raise ImportError(
        "no TensorRT: JetPack brings it, else `pip install stopline[gpu]`; "
        "`pip install tensorrt-rtx-cu12` builds engines without a GPU"
    )


def _add_profile(builder: Any, network: Any, config: Any, largest_batch: int) -> None:
    frames = network.get_input(0)
    if frames.shape[0] != -1:
        return
    _, *image = frames.shape
    profile = builder.create_optimization_profile()
    profile.set_shape(frames.name, (1, *image), (largest_batch, *image), (largest_batch, *image))
    config.add_optimization_profile(profile)


@functools.cache
def _log(trt: ModuleType) -> Any:
    """One for the process: TensorRT keeps the first it is given for good."""

    class Log(trt.ILogger):  # type: ignore[name-defined,misc]  # known only once it is imported
        """Keeps the errors of the current build and prints nothing."""

        def __init__(self) -> None:
            super().__init__()
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.errors.append(message)

    return Log()


def _told(error: Any) -> str:
    """The reason; a first line may only name the node, and CUDA's own complaints come last."""
    lines = error.desc().splitlines()
    reason = next((line for line in lines if not line.startswith("Invalid Node")), lines[0])
    return f"{error.node_operator()} {error.node_name() or error.node()}: {reason}"
