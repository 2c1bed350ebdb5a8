"""Small labelled sets, written for real, and a detector whose answers are known."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stopline.devices.coco import CocoSet, read_coco
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from tests.runtime.tiny import red_square

HW = (64, 96)
CLASSES = ("car", "truck", "person")
Row = tuple[str, tuple[float, float, float, float]]  # class, xyxy
Found = tuple[str, tuple[float, float, float, float], float]  # class, xyxy, score


@dataclass(frozen=True)
class Shot:
    """One image of a set: its boxes, and what its COCO record says besides."""

    boxes: Sequence[Row] = ()
    says: Mapping[str, Any] | None = None
    crowd: Sequence[Row] = ()


def write_set(
    folder: Path, shots: Sequence[Shot], classes: Sequence[str] = CLASSES
) -> tuple[Path, Path]:
    """The COCO file and the folder of images; each image is red where its first box is."""
    images = folder / "images"
    images.mkdir(parents=True)
    content: dict[str, list[Any]] = {"images": [], "annotations": []}
    content["categories"] = [{"id": at + 1, "name": name} for at, name in enumerate(classes)]
    for at, shot in enumerate(shots):
        first = [int(side) for side in shot.boxes[0][1]] if shot.boxes else [0, 0, 0, 0]
        pixels = red_square(HW, (first[0], first[1], first[2], first[3]))
        (images / f"{at}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        record = {"id": at, "file_name": f"{at}.png", "width": HW[1], "height": HW[0]}
        content["images"].append({**record, **(shot.says or {})})
        for crowd, rows in enumerate((shot.boxes, shot.crowd)):
            for name, (x0, y0, x1, y1) in rows:
                label = {"image_id": at, "category_id": list(classes).index(name) + 1}
                box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": crowd}
                content["annotations"].append({**label, **box, "id": at})
    labels = folder / "labels.json"
    labels.write_text(json.dumps(content))
    return labels, images


def a_set(folder: Path, *shots: Shot, classes: Sequence[str] = CLASSES) -> CocoSet:
    return read_coco(*write_set(folder, shots, classes))


class Answers:
    """A detector that gives the first answer for the first image, and so on."""

    min_score = 0.01
    precision = "fp32"
    backend = "known"

    def __init__(self, *answers: Sequence[Found], names: Sequence[str] = CLASSES) -> None:
        self.names = tuple(names)
        self._answers = answers

    def each(self, images: Iterable[Image]) -> Iterator[Detections]:
        for image, answer in zip(images, self._answers, strict=True):
            assert image.shape == (*HW, 3)
            yield self._detections(answer)

    def _detections(self, answer: Sequence[Found]) -> Detections:
        best_first = sorted(answer, key=lambda found: -found[2])
        return Detections(
            np.array([box for _, box, _ in best_first], np.float32).reshape(-1, 4),
            np.array([score for _, _, score in best_first], np.float32),
            np.array([self.names.index(name) for name, _, _ in best_first], np.int64),
            self.names,
        )
