"""What the start weights see in each training image, once, at a size larger than training's."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stopline.devices.coco import LabelledImage, load_image
from stopline.devices.whole_file import write_whole
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.letterbox import fit_into, letterbox
from stopline.runtime.nms import nms_per_class
from stopline.train.placement import GREY
from stopline.train.yolox import Yolox, grid_of

MIN_SCORE = 0.05  # what is kept in the cache
MAX_IOU = 0.6


class Teacher:
    """A model and the classes it knows, at `input_hw`; what it finds is kept in `cache`."""

    def __init__(
        self, model: Yolox, names: tuple[str, ...], input_hw: tuple[int, int], cache: Path
    ) -> None:
        self.model = model.eval()
        self.names = names
        self.input_hw = input_hw
        self.cache = cache
        self.grid = grid_of(input_hw)

    def find_all(
        self, images: Sequence[LabelledImage], tick: Callable[[], None]
    ) -> list[Detections]:
        """One for each image, in order. `tick` is called after each."""
        kept = self.cache / f"teacher-{self._fingerprint(images)}.npz"
        if kept.is_file():
            return _unpack(kept, len(images), self.names)
        found = []
        for image in images:
            found.append(self.find(load_image(image)))
            tick()
        self.cache.mkdir(parents=True, exist_ok=True)
        _pack(kept, found)
        return found

    @torch.no_grad()
    def find(self, image: Image) -> Detections:
        """What it sees in one image, in pixels of it."""
        h, w = self.input_hw
        laid = np.empty((h, w, 3), np.uint8)
        letterbox(image, laid, "letterbox_top_left", GREY)
        raw = self.model(torch.from_numpy(laid).permute(2, 0, 1)[None].float())[0]
        scores, classes = (raw[:, 4:5] * raw[:, 5:]).max(1)
        sure = scores > MIN_SCORE
        boxes = self.grid.decode(raw)[sure].numpy()
        kept_scores, kept_classes = scores[sure].numpy(), classes[sure].numpy()
        kept = nms_per_class(boxes, kept_scores, kept_classes, MAX_IOU)
        fit = fit_into((image.shape[1], image.shape[0]), (w, h), "letterbox_top_left")
        return Detections(
            fit.frame_from_input(boxes[kept]), kept_scores[kept], kept_classes[kept], self.names
        )

    def _fingerprint(self, images: Sequence[LabelledImage]) -> str:
        digest = hashlib.sha256(repr((self.names, self.input_hw, MIN_SCORE, MAX_IOU)).encode())
        for name, weights in self.model.state_dict().items():
            digest.update(name.encode() + _bytes_of(weights))
        for image in images:
            stat = image.path.stat()
            digest.update(f"{image.path.name} {stat.st_size} {stat.st_mtime_ns}".encode())
        return digest.hexdigest()[:16]


def _bytes_of(weights: Tensor) -> bytes:
    return weights.detach().cpu().contiguous().numpy().tobytes()


def _pack(path: Path, found: list[Detections]) -> None:
    content = io.BytesIO()
    np.savez(
        content,
        counts=np.array([len(d) for d in found]),
        boxes=np.concatenate([d.boxes for d in found]),
        scores=np.concatenate([d.scores for d in found]),
        classes=np.concatenate([d.classes for d in found]),
    )
    write_whole(content.getvalue(), path)


def _unpack(path: Path, images: int, names: tuple[str, ...]) -> list[Detections]:
    with np.load(path) as kept:
        edges = np.concatenate([[0], np.cumsum(kept["counts"])])
        boxes, scores, classes = kept["boxes"], kept["scores"], kept["classes"]
    spans = [slice(edges[i], edges[i + 1]) for i in range(images)]
    return [Detections(boxes[s], scores[s], classes[s], names) for s in spans]
