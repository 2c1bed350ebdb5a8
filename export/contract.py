"""The graph contract put around a raw detector: `frames` in; `boxes`, `scores`, `classes` out.

Nodes are named for the part they belong to: `prepare/…`, the detector's own `net/…`, `decode/…`.
Only `net/` is to be quantized, and of it not what follows the last convolutions: a YOLOX joins
its boxes and scores into one tensor there, and one INT8 scale would destroy the boxes.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, checker, compose, helper

from stopline import __version__
from stopline.export.families.family import Family
from stopline.export.raw import HW, ExportError, Floats, Raw
from stopline.export.resize import DYNAMIC, fitted
from stopline.export.simplify import at_opset, simplified
from stopline.export.tensor import Nodes, Tensor

NET = "net/"  # before the names of the raw file, which might be `frames` or `scores` too


@dataclass(frozen=True, slots=True)
class ContractSettings:
    """`input_hw` None keeps the file's own; `batch` > 1 leaves n open, up to that many."""

    input_hw: HW | None = None
    batch: int = 1
    boxes: int = 300  # k, or the number of candidates where that is smaller


def fitted_for(raw: Raw, family: Family, settings: ContractSettings) -> Raw:
    """The raw file at the size and batch that are wanted, and still of its family.

    Raises ExportError if it cannot take them.
    """
    h, w = settings.input_hw or raw.input_hw
    if h % family.side or w % family.side:
        nearest = "x".join(str(max(1, round(side / family.side)) * family.side) for side in (h, w))
        raise ExportError(
            f"input {h}x{w}: {family.name} wants sides that are multiples of {family.side}, "
            f"the nearest is --input {nearest}"
        )
    at_size = fitted(raw, (h, w), settings.batch)
    if not family.recognises(at_size):
        raise ExportError(
            f"{raw.name} gives {at_size.described_outputs()} at {h}x{w}, which is not what "
            f"{family.name} gives there: export it again at that size"
        )
    return at_size


def in_contract(raw: Raw, family: Family, settings: ContractSettings | None = None) -> ModelProto:
    """The raw detector with pre- and post-processing, simplified; see DESIGN's graph contract."""
    settings = settings or ContractSettings()
    raw = fitted_for(raw, family, settings)
    net = compose.add_prefix(simplified(at_opset(raw.model, raw.name)), NET)
    graph = GraphProto(name=family.name)
    images = _images(Nodes(graph, "prepare"), family)
    _join(graph, net.graph, {NET + raw.input: images.name})
    (output,) = raw.outputs
    given = Nodes(graph, "decode").tensor(NET + output, raw.output.shape)
    candidates = family.decode(raw.output, raw.input_hw).boxes.shape[1]
    k = min(settings.boxes, candidates)
    _best(*family.decode(cast(Floats, given), raw.input_hw), k)
    _declare(graph, DYNAMIC if settings.batch > 1 else 1, raw.input_hw, k)
    return _model(graph, net)


def _images(nodes: Nodes, family: Family) -> Tensor:
    """uint8 (n, h, w, 3) → what the detector takes, (n, 3, h, w)."""
    # TensorRT refuses a uint8 Transpose, so the Cast comes first.
    floats = nodes.tensor("frames").apply("Cast", to=TensorProto.FLOAT)
    return cast(Tensor, family.normalise(cast(Floats, floats.transpose(0, 3, 1, 2))))


def _join(graph: GraphProto, net: GraphProto, renamed: dict[str, str]) -> None:
    for node in net.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
    graph.node.extend(net.node)
    graph.initializer.extend(net.initializer)


def _best(boxes: Floats, scores: Floats, k: int) -> None:
    """Each candidate's best class, and of the candidates the best k.

    No NonMaxSuppression: TensorRT-RTX has none that it can build, and DLA none at all.
    """
    scores_of, boxes_of = cast(Tensor, scores), cast(Tensor, boxes)
    best = scores_of.apply("ReduceMax", np.array([-1]), keepdims=0)
    _, where = best.nodes.append("TopK", [best, np.array([k])], ("scores", ""), axis=-1)
    rows = where.apply("Unsqueeze", np.array([-1]))  # (n, k, 1)
    best.nodes.append("GatherND", [boxes_of, rows], ("boxes",), batch_dims=1)
    of_best = scores_of.apply("GatherND", rows, batch_dims=1)  # (n, k, classes)
    index = of_best.apply("ArgMax", axis=-1, keepdims=0)
    # int32 is what TensorRT's own indices are.
    best.nodes.append("Cast", [index], ("classes",), to=TensorProto.INT32)


def _declare(graph: GraphProto, batch: str | int, input_hw: HW, k: int) -> None:
    value = helper.make_tensor_value_info
    graph.input.append(value("frames", TensorProto.UINT8, [batch, *input_hw, 3]))
    graph.output.append(value("boxes", TensorProto.FLOAT, [batch, k, 4]))
    graph.output.append(value("scores", TensorProto.FLOAT, [batch, k]))
    graph.output.append(value("classes", TensorProto.INT32, [batch, k]))


def _model(graph: GraphProto, net: ModelProto) -> ModelProto:
    """As old an IR version as the opset allows: ONNX Runtime 1.18 reads up to 10."""
    for node in graph.node:
        # torch leaves stack traces there, with the paths of whoever exported.
        del node.metadata_props[:]
        node.doc_string = ""
    model = helper.make_model(
        graph,
        opset_imports=net.opset_import,
        ir_version=helper.find_min_ir_version_for(net.opset_import),
        producer_name="stopline",
        producer_version=__version__,
    )
    checker.check_model(model, full_check=True)
    return model
