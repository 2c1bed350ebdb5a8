"""What a run leaves behind: weights with the classes, architecture and sources they belong to."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from stopline.devices.whole_file import write_whole
from stopline.export.coco80 import COCO80
from stopline.runtime.manifest import Provenance
from stopline.train.yolox import ModelSettings, Yolox

SCHEMA = 1
State = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """`weights` are those to run: with an average kept during training, the average."""

    classes: tuple[str, ...]
    model: ModelSettings
    input_hw: tuple[int, int]
    provenance: Provenance
    weights: State
    training: Mapping[str, Any] | None = None  # what `--resume` needs; None in best.pt


def build_model(checkpoint: Checkpoint) -> Yolox:
    """The network in eval mode, on the CPU, with the weights loaded name for name."""
    settings = msgspec.structs.replace(checkpoint.model, pretrained=False)
    model = Yolox(len(checkpoint.classes), settings)
    model.load_state_dict(checkpoint.weights)
    return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Atomic: the file is the old one or the new one, whatever happens meanwhile."""
    content = {
        "stopline": SCHEMA,
        "classes": list(checkpoint.classes),
        "model": msgspec.to_builtins(checkpoint.model),
        "input_hw": list(checkpoint.input_hw),
        "provenance": msgspec.to_builtins(checkpoint.provenance),
        "weights": checkpoint.weights,
        "training": checkpoint.training,
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole(buffer.getvalue(), path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Raises OSError for a file that is absent, ValueError for one that is no checkpoint."""
    content = _load(path)
    if content.get("stopline") != SCHEMA:
        raise ValueError(
            f"{path.name} is no checkpoint of this stopline: found "
            f"{_said(content)}, wanted stopline = {SCHEMA}; `stopline train` writes one"
        )
    return Checkpoint(
        classes=tuple(content["classes"]),
        model=msgspec.convert(content["model"], ModelSettings),
        input_hw=(content["input_hw"][0], content["input_hw"][1]),
        provenance=msgspec.convert(content["provenance"], Provenance),
        weights=content["weights"],
        training=content["training"],
    )


def load_weights(path: Path, classes: tuple[str, ...] | None) -> tuple[State, tuple[str, ...]]:
    """A checkpoint's weights, or a state dict with Megvii's names, and the classes of their rows.

    `classes` names those of a state dict, which does not say; None means COCO's 80.
    """
    content = _load(path)
    if content.get("stopline") == SCHEMA:
        checkpoint = load_checkpoint(path)
        return checkpoint.weights, checkpoint.classes
    state: State = content.get("model", content)
    rows = state.get("head.cls_preds.0.weight")
    if rows is None:
        raise ValueError(
            f"{path.name} holds no YOLOX: no head.cls_preds.0.weight in it, found {_said(state)}"
        )
    names = classes or COCO80
    if len(names) != len(rows):
        raise ValueError(
            f"{path.name} has {len(rows)} classes, {len(names)} were named: list them in "
            "the recipe, start.classes"
        )
    return state, names


def start_from(model: Yolox, state: State, has: tuple[str, ...], wants: tuple[str, ...]) -> None:
    """Load `state` name for name; the class rows are picked by name, a new class keeps its own.

    So a detector of some of the classes starts as good as the one it came from.
    """
    mine = model.state_dict()
    sliced = dict(state)
    for name, fresh in mine.items():
        if ".cls_preds." in name and name in state:
            rows = [
                state[name][has.index(c)] if c in has else fresh[i] for i, c in enumerate(wants)
            ]
            sliced[name] = torch.stack(rows)
    wrong = [n for n, t in mine.items() if n not in sliced or sliced[n].shape != t.shape]
    extra = sorted(sliced.keys() - mine.keys())
    if wrong or extra:
        raise ValueError(
            f"the start weights are not of this model: {len(wrong)} tensors are missing or of "
            f"another shape, {len(extra)} left over; the first is {(wrong + extra)[0]}"
        )
    model.load_state_dict(sliced)


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {str(path)!r}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as wrong:  # torch raises whatever its unpickler stumbles over
        raise ValueError(f"{path.name} is no torch file that can be read safely") from wrong
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds a {type(content).__name__}, wanted a checkpoint")
    return content


def _said(content: Mapping[str, Any]) -> str:
    keys = sorted(map(str, content))
    return ", ".join(keys[:4]) + (" …" if len(keys) > 4 else "")
