"""What the noise of one layer does to what the detector gives, all else being exact.

The reference runs once for each layer, with that layer's own error added to what it gives.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from stopline.export.bisect.noise import decibel
from stopline.export.bisect.parting import Contribution
from stopline.export.bisect.segments import Segment
from stopline.export.half_rules import tensors_of
from stopline.export.intermediate import Inside
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames

FAR = 65504.0  # the end of float16
Error: TypeAlias = NDArray[np.float32]  # of the shape of a tensor
ERROR, CLEAN = "/error", "/clean"


class Harm(NamedTuple):
    """What one segment's noise does to the candidates' best scores and to their boxes: power."""

    segment: Segment
    scores: float
    boxes: float  # pixels squared, weighed by score
    signal: float  # of the scores
    weight: float  # of the boxes: the sum of the scores


def harms(
    reference: ModelProto, frames: Frames, errors: Sequence[tuple[Segment, Error]], threads: int
) -> list[Harm]:
    """Run the reference once for each error, with that error added to the segment's tensor.

    Raises ExportError if the graph is not in the contract.
    """
    floats = tensors_of(reference, TensorProto.FLOAT)
    errors = [(segment, error) for segment, error in errors if segment.tensor in floats]
    if not errors:
        return []
    names = _candidates(reference)
    noisy = _with_errors(reference, {segment.tensor for segment, _ in errors})
    inside = Inside(noisy, names, threads)

    def run(**error: Error) -> list[NDArray[np.float64]]:
        given = inside({"frames": frames, **{n + ERROR: e for n, e in error.items()}})
        return [_finite(given[name]).astype(np.float64) for name in names]

    clean = run()
    return [_harm(segment, clean, run(**{segment.tensor: _finite(e)})) for segment, e in errors]


def _harm(
    segment: Segment, clean: list[NDArray[np.float64]], hurt: list[NDArray[np.float64]]
) -> Harm:
    (boxes, scores), (of_boxes, of_scores) = clean, hurt
    corners = ((of_boxes - boxes) ** 2).mean(axis=-1)  # (n, candidates)
    return Harm(
        segment,
        scores=float(((of_scores - scores) ** 2).sum()),
        boxes=float((corners * scores).sum()),
        signal=float((scores**2).sum()),
        weight=float(scores.sum()),
    )


def ranked(harms: Collection[Harm]) -> tuple[Contribution, ...]:
    """Those of one segment taken together, the worst first."""
    by_place: dict[str, list[Harm]] = {}
    for harm in harms:
        by_place.setdefault(harm.segment.place, []).append(harm)
    summed = [
        (of[0].segment, np.array([h[1:] for h in of]).sum(axis=0)) for of in by_place.values()
    ]
    scores, boxes = (sum(sums[i] for _, sums in summed) or 1.0 for i in (0, 1))
    rows = [
        Contribution(
            place=segment.place,
            precision=segment.kind,
            share=float(sums[0] / scores + sums[1] / boxes) / 2,
            scores_db=decibel(float(sums[2]), float(sums[0])),
            boxes_px=float(np.sqrt(sums[1] / sums[3])) if sums[3] else 0.0,
        )
        for segment, sums in summed
    ]
    return tuple(sorted(rows, key=lambda row: -row.share))


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    """What is no number is as far off as can be told from others."""
    numbers: NDArray[Any] = np.nan_to_num(values, nan=FAR, posinf=FAR, neginf=-FAR)
    return numbers


def _with_errors(reference: ModelProto, tensors: Collection[str]) -> ModelProto:
    """An input for each error, which is nothing unless it is given."""
    model = ModelProto()
    model.CopyFrom(reference)
    graph = model.graph
    del graph.node[:]
    for node in reference.graph.node:
        noisy = [name for name in node.output if name in tensors]
        copy = graph.node.add()
        copy.CopyFrom(node)
        for index, name in enumerate(node.output):
            if name in noisy:
                copy.output[index] = name + CLEAN
        for name in noisy:
            graph.node.add().CopyFrom(helper.make_node("Add", [name + CLEAN, name + ERROR], [name]))
            # An initializer that is an input too is what it is when none is given.
            graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), name + ERROR))
            graph.input.append(helper.make_tensor_value_info(name + ERROR, TensorProto.FLOAT, None))
    return model


def _candidates(model: ModelProto) -> tuple[str, str]:
    """All boxes, and the best score of each: what the top k are taken from."""
    maker = {name: node for node in model.graph.node for name in node.output}
    boxes, scores = maker.get("boxes"), maker.get("scores")
    if not boxes or not scores or (boxes.op_type, scores.op_type) != ("GatherND", "TopK"):
        raise ExportError("no top k in the graph: wanted a detector in the graph contract")
    return boxes.input[0], scores.input[0]
