"""Which nodes of a graph TensorRT's parser has no operator for, before it tries to build."""

from onnx import ModelProto

from stopline.export.raw import ExportError
from stopline.export.sound import name_of, named, nodes_of
from stopline.runtime.backends.tensorrt_library import tensorrt_log, tensorrt_module


def refuse_what_tensorrt_lacks(model: ModelProto) -> None:
    """Raise ExportError, naming operators and nodes; BackendError without TensorRT.

    What passes may still not build: the parser knows an operator, not every use of it.
    """
    trt = tensorrt_module()
    log = tensorrt_log(trt)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    lacking: dict[str, list[str]] = {}
    for node in nodes_of(model.graph):
        if not parser.supports_operator(node.op_type):
            lacking.setdefault(node.op_type, []).append(name_of(node))
    if lacking:
        found = "; ".join(f"{kind} ({named(names)})" for kind, names in lacking.items())
        raise ExportError(
            f"{trt.__name__} {trt.__version__} has no operator {found}: export without it"
        )
