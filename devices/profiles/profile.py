"""What is published of a board. A fact that was not found is absent, and none is without a source.

Peaks are dense: vendors publish twice as much, for weights of which every other one is zero.
"""

from functools import cache
from pathlib import Path
from typing import Generic, Literal, TypeVar

import msgspec

BOARDS = Path(__file__).parent / "boards"

Arithmetic = Literal["fp32", "tf32", "fp16", "int8"]
Kind = Literal["jetson", "desktop", "cpu"]
Value = TypeVar("Value")


class ProfileError(ValueError):
    """A board that nobody described."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key that is not known is an error: it would be a fact that nobody reads."""


class Source(_Part, frozen=True):
    """`read` is the day on which the text was read for this file; None: cited, not read again."""

    title: str
    url: str
    read: str | None


class Fact(_Part, Generic[Value], frozen=True):
    """`source` is a key of the profile's sources; `note` says how the value comes of it."""

    value: Value
    source: str
    note: str | None = None


class KnownBy(_Part, frozen=True):
    """Every one of these that is given must be there: the board with the most of them is it."""

    source: str | None = None
    compatible: tuple[str, ...] = ()  # any of them in a string of the device tree's `compatible`
    gpu: tuple[str, ...] = ()  # any of them is the driver's name of the GPU
    power_mode: str | None = None  # offered by nvpmodel


class PowerMode(_Part, frozen=True):
    """One of nvpmodel's."""

    id: int
    name: str


class Profile(_Part, frozen=True):
    """A board at its highest power mode."""

    name: str
    kind: Kind
    known_by: KnownBy
    memory_gib: Fact[float]  # of the GPU, or of all where they share it
    shares_memory: bool  # CPU and GPU
    bandwidth_gbs: Fact[float]
    peak_tops: dict[Arithmetic, Fact[float]]  # 10^12 a second, a multiply-accumulate is two
    sources: dict[str, Source]
    cpu: Fact[str] | None = None
    sm: Fact[str] | None = None
    gpu_mhz: Fact[float] | None = None
    dla_cores: Fact[int] | None = None
    power_modes: Fact[tuple[PowerMode, ...]] | None = None
    fastest_mode: str | None = None  # by name: its number differs between releases
    jetpacks: Fact[tuple[str, ...]] | None = None  # "5", "6", "7.2"


@cache
def profiles() -> dict[str, Profile]:
    """By the name that `--device` takes."""
    found = {path.stem: _read(path) for path in BOARDS.glob("*.json")}
    return dict(sorted(found.items()))


def profile(device: str) -> Profile:
    """Raises ProfileError for one that is not there, with those that are."""
    known = profiles()
    if device not in known:
        raise ProfileError(f"no device {device!r}: wanted one of {', '.join(known)}")
    return known[device]


def _read(path: Path) -> Profile:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile)
    except msgspec.DecodeError as error:
        raise ProfileError(f"{path} is no profile: {error}") from error
