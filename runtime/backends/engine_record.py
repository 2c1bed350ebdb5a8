"""What an engine says of itself: the `.json` beside each `.plan`."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from stopline.runtime.manifest import Precision, Sha256

MAX_RECORD_BYTES = 16 << 20

# Of the ladder, best first. `int8-mixed` is INT8 without the nodes that TensorRT refused.
Rung = Literal["int8", "int8-mixed", "fp16", "fp32"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every part of a record: immutable, and a key it does not know is an error."""


class Built(_Part, frozen=True):
    """How it was built. None is what TensorRT chose by itself."""

    optimisation: int | None
    workspace_mib: Count | None  # the most scratch memory that a layer may take
    dla: Count | None  # the core of the deep learning accelerator, None for the GPU alone
    largest_batch: Annotated[int, msgspec.Meta(ge=1)]
    seconds: float
    at: str  # ISO 8601, UTC
    stopline: str


class EngineLayer(_Part, frozen=True):
    """One of what TensorRT made of the graph: many nodes in one kernel."""

    name: str
    kind: str
    takes: tuple[str, ...]  # the types of its inputs, as TensorRT names them
    gives: tuple[str, ...]
    nodes: tuple[str, ...]  # of the ONNX file


class Placement(_Part, frozen=True):
    """Where the layers of the network went."""

    dla: tuple[str, ...]
    gpu: tuple[str, ...]  # for which the accelerator has nothing


class Trial(_Part, frozen=True):
    """The engine run on this board, on the bundle's self-test."""

    runs: Count
    p50_ms: float
    p90_ms: float
    agrees: str  # how it compares with FP32's boxes


class Left(_Part, frozen=True):
    """A rung that was not taken, and why."""

    rung: Rung
    why: str


class EngineRecord(_Part, frozen=True):
    """Everything that decides whether an engine may run, and how it came about."""

    schema: Literal[1]
    precision: Precision
    rung: Rung
    gpu: str | None  # None if it was built where there is no GPU
    sm: str | None
    flavour: str
    version: str
    onnx_sha256: Sha256  # of the variant in the bundle
    plan_sha256: Sha256
    plan_bytes: Count
    calibration_sha256: Sha256 | None
    built: Built
    floated: tuple[str, ...] = ()  # nodes that `int8-mixed` computes in float
    layers: tuple[EngineLayer, ...] = ()
    placement: Placement | None = None
    trial: Trial | None = None
    not_run: str | None = None  # why there was no trial
    above: tuple[Left, ...] = ()  # the better rungs
    refused: str | None = None  # why it is not to be chosen, though it was built


def read_record(path: Path) -> EngineRecord:
    """Raises ValueError, with the reason, for what is no record."""
    size = path.stat().st_size
    if size > MAX_RECORD_BYTES:
        raise ValueError(f"{path.name} has {size} bytes: {MAX_RECORD_BYTES} at most")
    try:
        return msgspec.json.decode(path.read_bytes(), type=EngineRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is no record of an engine: {error}") from error
