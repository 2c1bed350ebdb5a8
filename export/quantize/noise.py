"""What quantizing adds to the answer of a detector, as a number that no threshold makes jump."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from stopline.export.intermediate import Inside
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames


class Answer(NamedTuple):
    """Of one frame, every candidate before the best are picked."""

    scores: NDArray[np.float64]  # (candidates, classes)
    boxes: NDArray[np.float64]  # (candidates, 4) xyxy


class AnswerNoise:
    """Error over signal of a variant's answer, in power: .01 is an error of a tenth.

    Scores: the squared error of all, over the square of all. Boxes: (1 - IoU)² with FP32's, of
    each candidate as much as its score squared says that it counts. The two are added.
    """

    def __init__(self, reference: ModelProto, frames: Frames, threads: int = 1) -> None:
        """Raise ExportError if the graph is not in the contract."""
        self._frames = frames
        self._threads = threads
        self._tensors = _candidates(reference)
        self._reference = list(self._answers(reference))

    def __call__(self, model: ModelProto) -> float:
        """0 for the reference itself, inf for numbers that are not finite."""
        errors = np.zeros(2)
        signals = np.zeros(2)
        for wanted, found in zip(self._reference, self._answers(model), strict=True):
            counts = wanted.scores.max(axis=1) ** 2
            off = 1 - _iou(wanted.boxes, found.boxes)
            errors += np.sum((found.scores - wanted.scores) ** 2), np.sum(counts * off**2)
            signals += np.sum(wanted.scores**2), np.sum(counts)
        noise = float(np.sum(errors / np.maximum(signals, 1e-12)))
        return noise if np.isfinite(noise) else float("inf")

    def _answers(self, model: ModelProto) -> Iterator[Answer]:
        inside = Inside(model, self._tensors, self._threads)
        for frame in self._frames:
            found = inside({"frames": frame[None]})
            yield Answer(*(found[name][0].astype(np.float64) for name in self._tensors))


def _candidates(model: ModelProto) -> tuple[str, str]:
    """The tensors of scores and boxes from which the graph picks the best; see `contract`."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    best = _input_of(made_by.get("scores"), "TopK")
    scores = _input_of(made_by.get(best), "ReduceMax")
    boxes = _input_of(made_by.get("boxes"), "GatherND")
    if not (scores and boxes):
        raise ExportError(
            "the graph does not pick its boxes and scores as the contract has it, a TopK of a "
            "ReduceMax: make it again with `stopline export`"
        )
    return scores, boxes


def _input_of(node: NodeProto | None, op: str) -> str:
    return str(node.input[0]) if node is not None and node.op_type == op else ""


def _iou(some: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) of each box with its counterpart; 1 for two equal ones that cover nothing."""
    inner = np.minimum(some[:, 2:], others[:, 2:]) - np.maximum(some[:, :2], others[:, :2])
    shared = np.prod(np.maximum(inner, 0), axis=1)
    areas = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (some, others)]
    union = areas[0] + areas[1] - shared
    return np.where(union > 0, shared / np.maximum(union, 1e-12), 1.0)
