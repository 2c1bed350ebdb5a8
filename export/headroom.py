"""How near the tensors of a net come to the largest number that float16 has.

Beyond it they become infinite, and what follows NaN: the usual way in which FP16 fails, of DETR
families above all. What a GPU sums up inside a node is not seen here.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from onnx import ModelProto

from stopline.export.half_rules import typed
from stopline.export.intermediate import Inside, bytes_of, chunked, typed_values
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames

LARGEST = float(np.finfo(np.float16).max)  # 65504
HELD = 256 << 20  # bytes of tensors at a time


class Headroom(NamedTuple):
    """A tensor that comes near; float16 ends at `LARGEST`."""

    tensor: str
    node: str
    largest: float  # magnitude in float32, over all frames

    @property
    def overflows(self) -> bool:
        """Whether FP16 makes it infinite."""
        return not self.largest <= LARGEST  # NaN does, too

    def __str__(self) -> str:
        verdict = "beyond" if self.overflows else f"{self.largest / LARGEST:.0%} of"
        return f"{self.tensor} ({self.node}) reaches {self.largest:.4g}, {verdict} float16's 65504"


def refuse_overflow(model: ModelProto, frames: Frames) -> None:
    """Raise ExportError, naming tensors, if FP16 would make any infinite on these frames."""
    over = [each for each in half_headroom(model, frames, times=1) if each.overflows]
    if over:
        told = "; ".join(map(str, over[:3])) + ("; …" if len(over) > 3 else "")
        raise ExportError(f"fp16 refused: {told}. `--precision fp32` leaves it out")


def half_headroom(
    model: ModelProto, frames: Frames, float_layers: Collection[str] = (), times: float = 4
) -> tuple[Headroom, ...]:
    """The tensors that FP16 computes in float16 and that grow to within `times` of its end.

    The largest first. `model` is the float32 graph; frames (n, h, w, 3).
    """
    makers = {
        name: node.name
        for node, _, outputs in typed(model, frozenset(float_layers))
        for name, half in zip(node.output, outputs, strict=True)
        if half
    }
    types = typed_values(model)
    found = []
    for chunk in chunked(makers, lambda name: bytes_of(types[name]), HELD):
        inside = Inside(model, chunk)
        largest = dict.fromkeys(chunk, 0.0)
        for frame in frames:
            for name, values in inside({"frames": frame[None]}).items():
                # maximum, unlike max, lets a NaN through.
                largest[name] = float(np.maximum(largest[name], np.abs(values).max(initial=0)))
        found += [Headroom(name, makers[name], value) for name, value in largest.items()]
    near = [each for each in found if not each.largest <= LARGEST / times]
    return tuple(sorted(near, key=lambda each: -np.nan_to_num(each.largest, nan=np.inf)))
