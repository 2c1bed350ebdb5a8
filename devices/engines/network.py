"""An ONNX file read into a TensorRT network; what cannot be read is named, node by node."""

from types import ModuleType
from typing import Any, NamedTuple

from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_log


class EngineError(ValueError):
    """An engine that cannot be built; `said` is all that TensorRT said, nodes named in it."""

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said or message


class Parsed(NamedTuple):
    """TensorRT's objects; the parser owns the weights, so it must outlive the build."""

    builder: Any
    network: Any
    parser: Any


def parsed(model: bytes, trt: ModuleType) -> Parsed:
    """A strongly typed network: every precision is what the graph says it is."""
    log = tensorrt_log(trt)
    log.told.forget()
    builder = trt.Builder(log)
    # The bits of the flags moved between versions; their names did not.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        told = [_told(parser.get_error(index)) for index in range(parser.num_errors)]
        said = "; ".join(dict.fromkeys(told)) or log.told.first_error()
        raise EngineError(f"{library_of(trt)} cannot parse it: {said}")
    return Parsed(builder, network, parser)


def _told(parser_error: Any) -> str:
    """The node and the reason; a first line may only name the node."""
    lines = parser_error.desc().splitlines() or ["no reason given"]
    reason = next((line for line in lines if not line.startswith("Invalid Node")), lines[0])
    node = parser_error.node_name() or parser_error.node()
    return f"{parser_error.node_operator()} {node}: {reason}"
