"""What a GPU does in one go: a layer with all that is fused into it."""

from dataclasses import dataclass
from typing import Literal

from stopline.runtime.manifest import Precision

Kind = Literal["dense", "pointwise", "depthwise", "grouped", "matmul", "other"]
BYTES: dict[Precision, int] = {"fp32": 4, "fp16": 2, "int8": 1}


@dataclass(frozen=True, slots=True)
class Kernel:
    """For one image."""

    name: str
    kind: Kind
    precision: Precision  # of the arithmetic
    macs: int  # multiply-accumulates
    activation_bytes: int  # read and written, if nothing stays in a cache
    weight_bytes: int = 0

    @property
    def bytes(self) -> int:
        """All that is moved to and from memory."""
        return self.activation_bytes + self.weight_bytes
