"""How far the values of a tensor reach, and the steps that follow from it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, ValueInfoProto

from stopline.export.quantize.activation import HIGHEST, Activation
from stopline.runtime.arrays import Frames

Floats32 = NDArray[np.float32]

BINS = 4096
QUIETEST = 1e-3  # of the widest channel; one that hardly moves must not be blown up to noise


@dataclass(frozen=True)
class RangeSettings:
    """`channel`: every channel fills all steps. The others: one symmetric scale for a tensor.

    `margin` widens what was seen: images to come go further, and what is clipped costs more than
    steps that are a little wider.
    """

    method: Literal["channel", "min-max", "percentile"] = "channel"
    margin: float = 1.1
    percentile: float = 99.999


class Reach:
    """What is known of a tensor (n, channels, …) after any number of frames."""

    def __init__(self) -> None:
        self.low: Floats32 | None = None  # (channels,)
        self.high: Floats32 | None = None
        self.histogram = Histogram()

    def add(self, values: Floats32, counted: bool) -> None:
        """Take a frame in; `counted` for the percentile, which takes longer."""
        others = (0, *range(2, values.ndim))
        low, high = values.min(axis=others), values.max(axis=others)
        self.low = low if self.low is None else np.minimum(self.low, low)
        self.high = high if self.high is None else np.maximum(self.high, high)
        if counted:
            self.histogram.add(values)

    @property
    def limits(self) -> tuple[Floats32, Floats32]:
        """The lowest and the highest value of each channel."""
        if self.low is None or self.high is None:
            raise ValueError("no frame was taken in yet")
        return self.low, self.high

    @property
    def is_constant(self) -> bool:
        """Whether no channel ever moved."""
        low, high = self.limits
        return bool((low == high).all())


def activation_of(reach: Reach, settings: RangeSettings, shifted: bool) -> Activation:
    """The steps of a tensor; `shifted` where its zero may move."""
    low, high = reach.limits
    if settings.method != "channel":
        largest = float(max(np.abs(low).max(), np.abs(high).max()))
        if settings.method == "percentile":
            largest = reach.histogram.percentile(settings.percentile)
        return Activation(largest / HIGHEST)
    more = settings.margin - 1
    lowest, highest = low - more * np.abs(low), high + more * np.abs(high)
    middle = (lowest + highest) / 2 if shifted else np.zeros_like(lowest)
    half = np.maximum(highest - middle, middle - lowest)
    half = np.maximum(half, QUIETEST * half.max())
    shift = np.asarray(middle, np.float32) if shifted else None
    return Activation(1 / HIGHEST, shift, np.asarray(1 / half, np.float32))


def reaches(
    model: ModelProto,
    tensors: Sequence[str],
    frames: Frames,
    counted: bool,
    on_frame: Callable[[int], None],
) -> dict[str, Reach]:
    """Of these tensors, over all frames."""
    found = {name: Reach() for name in tensors}
    for index, values in enumerate(_values(model, tensors, frames)):
        for name, value in values.items():
            found[name].add(value, counted)
        on_frame(index + 1)
    return found


def _values(
    model: ModelProto, tensors: Sequence[str], frames: Frames
) -> Iterator[dict[str, Floats32]]:
    """One frame after the other: the tensors of all frames at once would not fit."""
    import onnxruntime

    opened = ModelProto()
    opened.CopyFrom(model)
    del opened.graph.output[:]
    opened.graph.output.extend(ValueInfoProto(name=name) for name in tensors)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        opened.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for frame in frames:
        yield dict(zip(tensors, session.run(tensors, {"frames": frame[None]}), strict=True))


class Histogram:
    """Of absolute values; grows by doubling, so that it can be filled in one pass."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.top = 0.0  # the upper edge of the last bin
        self.largest = 0.0

    def add(self, values: NDArray[np.floating]) -> None:
        """Count them in."""
        absolute = np.abs(values).ravel()
        largest = float(absolute.max(initial=0))
        self.largest = max(self.largest, largest)
        self.top = self.top or largest
        if self.top == 0:
            return
        while largest > self.top:
            halved = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([halved, np.zeros(BINS // 2, np.int64)])
            self.top *= 2
        self.counts += np.histogram(absolute, BINS, (0, self.top))[0]

    def percentile(self, share: float) -> float:
        """The value that this share (0..100) of all values does not exceed."""
        reached = np.cumsum(self.counts)
        at = int(np.searchsorted(reached, share / 100 * reached[-1]))
        return min(self.largest, (at + 1) * self.top / BINS)
