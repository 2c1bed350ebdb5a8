"""The published figures of stock YOLOX-Nano on the data pack, from its raw ONNX, to .003."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stopline.devices.coco import read_coco
from stopline.devices.evaluation import EvaluationSettings, evaluate
from stopline.runtime.arrays import Boxes, Image, Scores
from stopline.runtime.detections import Detections
from stopline.runtime.letterbox import letterbox
from stopline.runtime.nms import nms_per_class

SIDE = 416
# Of the 80 classes of COCO, those whose figures were published: index, AP50 and AP.
PUBLISHED = {
    "person": (0, 0.626, 0.355),
    "stop sign": (11, 0.808, 0.748),
    "traffic light": (9, 0.503, 0.256),
    "car": (2, 0.550, 0.296),
    "truck": (7, 0.333, 0.219),
    "bus": (5, 0.782, 0.711),
    "bicycle": (1, 0.342, 0.213),
    "motorcycle": (3, 0.452, 0.286),
}


class StockYolox:
    """As the figures were made: the best 100 boxes of the eight classes, not cut at the edges."""

    names = tuple(PUBLISHED)
    min_score = 0.01
    precision = "fp32"
    backend = "onnxruntime"

    def __init__(self, model: Path) -> None:
        ort = pytest.importorskip("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = np.empty((SIDE, SIDE, 3), np.uint8)

    def each(self, images: Iterable[Image]) -> Iterator[Detections]:
        for image in images:
            fit = letterbox(image, self._input, "letterbox_top_left", 114)
            batch = self._input.transpose(2, 0, 1)[None].astype(np.float32)
            boxes, scores = decoded(self._session.run(None, {"images": batch})[0][0])
            best, classes = scores.max(axis=1), scores.argmax(axis=1)
            first = np.argsort(-best, kind="stable")[:100]
            first = first[best[first] >= self.min_score]
            kept = first[nms_per_class(boxes[first], best[first], classes[first], 0.65)]
            in_frame = boxes[kept] / np.float32(fit.scale_xy[0])
            yield Detections(in_frame, best[kept], classes[kept], self.names)


def decoded(raw: Boxes) -> tuple[Boxes, Scores]:
    """(3549, 85) of strides 8, 16, 32 → (3549, 4) xyxy in input pixels, (3549, 8) scores."""
    cells, strides = [], []
    for pixels in (8, 16, 32):
        count = SIDE // pixels
        y, x = np.mgrid[:count, :count]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full((count * count, 1), pixels))
    stride = np.concatenate(strides)
    centre = (raw[:, :2] + np.concatenate(cells)) * stride
    half = np.exp(raw[:, 2:4]) * stride / 2
    columns = [5 + index for index, _, _ in PUBLISHED.values()]
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return boxes.astype(np.float32), raw[:, 4:5] * raw[:, columns]


@pytest.mark.journey
@pytest.mark.data
def test_the_published_figures_are_reproduced(data_pack: Path) -> None:
    detector = StockYolox(data_pack / "weights/yolox/yolox_nano_coco_416.onnx")
    labels = read_coco(data_pack / "splits/public_val.json", data_pack / "images")
    got = evaluate(detector, labels, EvaluationSettings(resamples=0))
    means = [got.AP50, got.AP]
    assert means == pytest.approx([0.549, 0.385], abs=0.003)
    assert got.classes["stop sign"].boxes == 16
    assert got.of_set_only == ("pole",)
    for name, (_, ap50, ap) in PUBLISHED.items():
        figures = [got.classes[name].AP50, got.classes[name].AP]
        assert figures == pytest.approx([ap50, ap], abs=0.003), name
