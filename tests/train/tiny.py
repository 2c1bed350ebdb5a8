"""A small labelled set and a small recipe: red signs and blue cars on grey noise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from stopline.train.marks import REGION, Marks
from stopline.train.yolox import ModelSettings

TINY = ModelSettings(width=0.125)
CLASSES = ("sign", "car")
COLOURS = {"sign": (0, 0, 255), "car": (255, 0, 0)}  # BGR
WIDTH, HEIGHT = 128, 96

RECIPE = """
name = "tiny"
classes = ["sign", "car"]
input = [64, 96]
sizes = [[64, 96], [96, 96]]
seed = 3

[model]
width = 0.125

[optimise]
steps = 4
batch = 4
lr = 0.01
warmup = 2

[[sources]]
kind = "coco"
name = "squares"
licence = "CC0-1.0"
commercial = true
annotations = "labels.json"
images = "."

[validate]
every = 2

[validate.source]
kind = "coco"
name = "squares"
licence = "CC0-1.0"
commercial = true
annotations = "labels.json"
images = "."
"""


def write_set(folder: Path, count: int = 6, **of_image: Any) -> Path:
    """Images with one sign and one car each, and their labels.json; `of_image` is added to each."""
    rng = np.random.default_rng(0)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        picture = rng.integers(90, 140, (HEIGHT, WIDTH, 3), np.uint8)
        for number, name in enumerate(CLASSES):
            x, y = int(rng.integers(4, 40)) + 50 * number, int(rng.integers(4, 50))
            w, h = int(rng.integers(20, 36)), int(rng.integers(20, 36))
            picture[y : y + h, x : x + w] = COLOURS[name]
            annotations.append(
                {"image_id": index, "category_id": number, "bbox": [x, y, w, h], "iscrowd": 0}
            )
        cv2.imwrite(str(folder / f"{index}.png"), picture)
        entry = {"id": index, "file_name": f"{index}.png", "width": WIDTH, "height": HEIGHT}
        images.append({**entry, **of_image})
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES)]
    labels = {"images": images, "annotations": annotations, "categories": categories}
    path = folder / "labels.json"
    path.write_text(json.dumps(labels))
    return path


def write_recipe(folder: Path, *changes: tuple[str, str]) -> Path:
    """The set, and a recipe beside it with each (old, new) of `changes` replaced in it."""
    write_set(folder)
    text = RECIPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def marks(*rows: tuple[list[float], int], known: list[bool] | None = None) -> Marks:
    """(box, kind) rows, every class known in each unless said otherwise."""
    sure = [True] * len(CLASSES) if known is None else known
    return Marks(
        torch.tensor([box for box, _ in rows], dtype=torch.float32).view(-1, 4),
        torch.tensor([kind for _, kind in rows], dtype=torch.int64),
        torch.tensor([sure for _ in rows], dtype=torch.bool).view(-1, len(CLASSES)),
    )


def whole(width: float, height: float) -> tuple[list[float], int]:
    """The row of an image that covers all of a canvas."""
    return [0.0, 0.0, width, height], REGION


def silent(what: str, of: int) -> Callable[[], None]:
    """Progress that nobody watches."""
    return lambda: None
