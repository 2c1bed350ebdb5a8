"""Two graphs run on the same frames, tensor by tensor."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper

from stopline.export.bisect.noise import Noise, noise_between
from stopline.export.bisect.segments import GIVEN, Segment, opened
from stopline.export.half_rounded import rounded_model
from stopline.export.intermediate import Inside, typed_values
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames


class Seen(NamedTuple):
    """One tensor on some frames."""

    own: Noise  # of its segment, given what the reference gives
    whole: Noise  # of the whole variant
    error: NDArray[np.float32]  # of the segment: what it adds to the reference's tensor


class SideBySide:
    """A reference, a variant of it, and the segments of the variant each for itself."""

    def __init__(
        self,
        reference: ModelProto,
        variant: ModelProto,
        segments: Sequence[Segment],
        threads: int,
    ) -> None:
        self._segments = segments
        wanted = [each.tensor for each in segments]
        read = set(chain.from_iterable(each.reads for each in segments))
        types = typed_values(variant)
        self._types = {
            name: helper.tensor_dtype_to_np_dtype(types[name].type.tensor_type.elem_type)
            for name in read
        }
        self._reference = Inside(reference, sorted(read.union(wanted)), threads)
        halves = any(kind == np.float16 for kind in self._types.values())
        self._whole = Inside(rounded_model(variant) if halves else variant, wanted, threads)
        self._alone = Inside(opened(variant, read), wanted, threads)

    def run(self, frames: Frames) -> Iterator[tuple[Segment, Seen]]:
        """Every tensor, in the variant's order. Raises ExportError if shapes differ."""
        wanted = self._reference({"frames": frames})
        whole = self._whole({"frames": frames})
        given = {name + GIVEN: _as(wanted[name], kind) for name, kind in self._types.items()}
        alone = self._alone({"frames": frames, **given})
        for segment in self._segments:
            name = segment.tensor
            shapes = wanted[name].shape, whole[name].shape
            if shapes[0] != shapes[1]:
                raise ExportError(f"{segment.place} gives {shapes[1]}: the reference {shapes[0]}")
            yield segment, _seen(wanted[name], whole[name], alone[name])


def _seen(wanted: NDArray[Any], whole: NDArray[Any], alone: NDArray[Any]) -> Seen:
    with np.errstate(invalid="ignore"):
        error = alone.astype(np.float32) - wanted.astype(np.float32)
    return Seen(noise_between(wanted, alone), noise_between(wanted, whole), error)


def _as(values: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):  # an overflow of float16 is what is looked for
        return values.astype(kind, copy=False)
