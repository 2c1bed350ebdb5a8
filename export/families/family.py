"""What has to be known of a kind of detector to put the graph contract around its files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from stopline.export.raw import HW, Floats, Raw
from stopline.runtime.letterbox import Resize
from stopline.runtime.manifest import Thresholds


class Decoded(NamedTuple):
    """Every candidate of n images, in no order."""

    boxes: Floats  # (n, candidates, 4) xyxy, input pixels
    scores: Floats  # (n, candidates, classes) 0..1


@dataclass(frozen=True)
class Family:
    """One kind of detector.

    `normalise` and `decode` are numpy, and `tensor.Tensor` turns the same lines into ONNX nodes:
    `normalise` takes BGR 0..255 (n, 3, h, w) to what the file wants, `decode` its output (n, …),
    with the input's height and width, to boxes and scores.
    """

    name: str
    gives: str  # what its files give, for the error that refuses another
    resize: Resize
    thresholds: Thresholds
    side: int  # pixels; the sides of the input are multiples of it
    recognises: Callable[[Raw], bool]
    normalise: Callable[[Floats], Floats]
    decode: Callable[[Floats, HW], Decoded]
