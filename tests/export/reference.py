"""The two third-party files run as their authors run them: numpy and ONNX Runtime, nothing else.

None of this project's letterbox, decode or NMS is used here, so that figures which agree with
these say something.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections

Array = NDArray[Any]


@dataclass
class Reference:
    """What `stopline.devices.evaluation.evaluate` takes; `names` are the file's classes."""

    path: Path
    names: tuple[str, ...]
    max_iou: float
    min_score: float = 0.01
    precision: str = "fp32"
    backend: str = "reference"

    def __post_init__(self) -> None:
        self._session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]

    def each(self, images: Iterable[Image]) -> Iterator[Detections]:
        """Every image alone."""
        for image in images:
            yield self(image)

    def __call__(self, image: Image) -> Detections:
        boxes, scores = self.candidates(image)  # (a, 4) xyxy in the image, (a, classes)
        classes, best = scores.argmax(1), scores.max(1)
        likely = best >= self.min_score
        boxes, best, classes = boxes[likely], best[likely], classes[likely]
        kept = [
            index
            for one in np.unique(classes)
            for index in greedy_nms(boxes, best, np.flatnonzero(classes == one), self.max_iou)
        ]
        kept = sorted(kept, key=lambda index: -best[index])
        h, w = image.shape[:2]
        edge = np.array([w, h, w, h])
        return Detections(
            np.clip(boxes[kept], 0, edge).astype(np.float32),
            best[kept].astype(np.float32),
            classes[kept],
            self.names,
        )

    def candidates(self, image: Image) -> tuple[Array, Array]:
        raise NotImplementedError

    def _run(self, laid: Array) -> Array:
        tensor = np.ascontiguousarray(laid.transpose(2, 0, 1)[None], np.float32)
        output: Array = self._session.run(None, {self._input.name: tensor})[0][0]
        return output


class YoloxReference(Reference):
    """As Megvii's demo/ONNXRuntime does: letterbox at the top left, decode level by level."""

    def candidates(self, image: Image) -> tuple[Array, Array]:
        h, w = self._input.shape[2:]
        ratio = min(h / image.shape[0], w / image.shape[1])
        laid = np.full((h, w, 3), 114, np.uint8)
        small = cv2.resize(image, (int(image.shape[1] * ratio), int(image.shape[0] * ratio)))
        laid[: small.shape[0], : small.shape[1]] = small
        raw = self._run(laid)
        boxes, start = [], 0
        for stride in (8, 16, 32):
            for row in range(h // stride):
                columns = np.arange(w // stride)
                x, y, bw, bh = raw[start : start + len(columns), :4].T
                start += len(columns)
                cx, cy = (x + columns) * stride, (y + row) * stride
                bw, bh = np.exp(bw) * stride, np.exp(bh) * stride
                boxes.append(np.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2], 1))
        return np.concatenate(boxes) / ratio, raw[:, 4:5] * raw[:, 5:]


class FastestDetReference(Reference):
    """As the author's test.py does: resize without regard to shape, colours 0..1, cell by cell."""

    def candidates(self, image: Image) -> tuple[Array, Array]:
        h, w = self._input.shape[2:]
        raw = self._run(cv2.resize(image, (w, h)) / np.float32(255))
        rows, columns = raw.shape[1:]
        boxes, scores = [], []
        for row in range(rows):
            for column in range(columns):
                there, x, y, bw, bh, *classes = raw[:, row, column]
                bw, bh = 1 / (1 + np.exp(-bw)), 1 / (1 + np.exp(-bh))
                cx, cy = (column + np.tanh(x)) / columns, (row + np.tanh(y)) / rows
                boxes.append((cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2))
                scores.append(there**0.6 * np.array(classes) ** 0.4)
        size = np.array([image.shape[1], image.shape[0]] * 2)
        return np.array(boxes) * size, np.array(scores)


def greedy_nms(boxes: Array, scores: Array, rows: Array, max_iou: float) -> list[int]:
    """The rows to keep: each is dropped if it overlaps a better one by more than `max_iou`."""
    left = rows[np.argsort(-scores[rows], kind="stable")]
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[overlaps(boxes[best], boxes[left]) <= max_iou]
    return kept


def overlaps(box: Array, others: Array) -> Array:
    """IoU of one box (4,) xyxy with each of (n, 4)."""
    low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
    shared = np.clip(high - low, 0, None).prod(1)
    area = (others[:, 2:] - others[:, :2]).prod(1)
    iou: Array = shared / ((box[2:] - box[:2]).prod() + area - shared)
    return iou
