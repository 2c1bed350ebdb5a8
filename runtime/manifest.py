"""The manifest: what a bundle says of itself, typed, versioned and checked on load."""

from typing import Annotated, Literal

import msgspec

from stopline.runtime.letterbox import Resize

SCHEMA = 1
MAX_MANIFEST_BYTES = 1 << 20
ENGINES = "engines"  # a folder; built on the board, so neither listed, nor checked, nor shipped
MAX_SIDE = 8192  # pixels; the largest input a graph may ask for

Side = Annotated[int, msgspec.Meta(ge=8, le=MAX_SIDE)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Precision = Literal["fp32", "fp16", "int8"]


class BundleError(ValueError):
    """A bundle that is not what its manifest says; names the file and the reason."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every part of a manifest: immutable, and a key it does not know is an error."""


class Input(_Part, frozen=True):
    """How a frame is laid into the tensor `frames` (n, height, width, 3)."""

    height: Side
    width: Side
    resize: Resize = "letterbox_top_left"
    pad: Annotated[int, msgspec.Meta(ge=0, le=255)] = 114  # the grey detectors train with
    batch: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1  # the largest n


class Thresholds(_Part, frozen=True):
    """`min_score` is where `run` starts to report; `max_iou` None means the graph needs no NMS."""

    min_score: Share = 0.3
    max_iou: Share | None = 0.65


class ClassAccuracy(_Part, frozen=True):
    """COCO figures of one class; None where the set has no box of it."""

    AP: float | None
    AP50: float | None
    recall: float | None
    boxes: int


class Accuracy(_Part, frozen=True):
    """As `stopline eval` measured it through the runtime, on the named set."""

    dataset: str
    images: int
    backend: str
    AP: float
    AP50: float
    AP75: float
    classes: dict[str, ClassAccuracy]


class Calibration(_Part, frozen=True):
    """The images whose activations gave an INT8 variant its ranges."""

    dataset: str
    images: int
    sha256: Sha256  # of the frames as the graph saw them, in their order
    strata: dict[str, int]  # how many of the images show what; one image may show several


class ClassKept(_Part, frozen=True):
    """The AP of one class, as a share of what FP32 has on the same images."""

    share: float
    interval: tuple[float, float] | None  # 95 % of resampled sets; None with too few boxes
    boxes: int


class Fidelity(_Part, frozen=True):
    """How a variant compares with another, FP32 unless said, on the same images.

    `arithmetic` says what was run: "exact" is the graph as it is written (ONNX Runtime, no
    optimisation), else the name of a backend, whose own kernels may answer otherwise.
    """

    dataset: str
    images: int  # whose labels gave `AP_share`; 0 without labels
    arithmetic: str
    AP_share: float | None  # of FP32's AP; None without labels
    AP_interval: tuple[float, float] | None
    classes: dict[str, ClassKept]
    boxes: int  # that either finds at `min_score` in `scenes`, before suppression
    matched: Share  # of them with a counterpart of the same class at IoU 0.9
    mean_score_difference: float  # over the matched
    scenes: int = 0  # images in which boxes were compared, labelled or not
    against: Precision = "fp32"


class Variant(_Part, frozen=True):
    """One precision of the graph. Boxes, scores and classes mean the same in each."""

    file: str
    precision: Precision
    accuracy: Accuracy | None = None
    fidelity: Fidelity | None = None  # None for FP32, which the others are compared with
    step: Fidelity | None = None  # with the variant made just before, where that is not FP32
    calibration: Calibration | None = None
    int8_macs: Share | None = None  # of all multiply-accumulates


class Source(_Part, frozen=True):
    """Something the weights were made from: a data set, or the weights they started from."""

    name: str
    licence: str
    commercial: bool  # whether the licence lets the weights be used commercially
    images: int | None = None
    sha256: Sha256 | None = None
    url: str | None = None


class Provenance(_Part, frozen=True):
    """Where the weights come from. Shippable only if every source allows commercial use."""

    created: str  # ISO 8601, UTC
    stopline: str  # the version that wrote it
    command: str
    sources: tuple[Source, ...] = ()

    @property
    def shippable(self) -> bool:
        """False too when nothing is known of the sources: silence is not a licence."""
        return bool(self.sources) and all(source.commercial for source in self.sources)


class File(_Part, frozen=True):
    """What a file of the bundle must be, to the byte."""

    sha256: Sha256
    bytes: Annotated[int, msgspec.Meta(ge=0, le=4 << 30)]


class Manifest(_Part, frozen=True):
    """`manifest.json`."""

    schema: Literal[1]
    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    task: Literal["detect"]
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=10_000)]
    input: Input
    boxes: Annotated[int, msgspec.Meta(ge=1, le=10_000)]  # k: how many the graph gives
    thresholds: Thresholds
    variants: Annotated[dict[Precision, Variant], msgspec.Meta(min_length=1)]
    files: dict[str, File]  # every file but the manifest and engines/, by relative path
    provenance: Provenance
