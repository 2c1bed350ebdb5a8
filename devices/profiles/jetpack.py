"""Which JetPack brings which versions."""

from functools import cache
from pathlib import Path

import msgspec

from stopline.devices.profiles.profile import Source

MATRIX = Path(__file__).parent / "jetpack.json"


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One JetPack. What was not found is None."""

    jetpack: str
    l4t: tuple[str, ...]  # the releases of Jetson Linux in it
    ubuntu: str
    python: str
    cuda: str | None
    tensorrt: str | None
    sources: tuple[str, ...]


class Matrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Oldest first."""

    releases: tuple[Release, ...]
    sources: dict[str, Source]


@cache
def matrix() -> Matrix:
    """As it is in the data."""
    return msgspec.json.decode(MATRIX.read_bytes(), type=Matrix)


def release_of(l4t: str) -> Release | None:
    """The JetPack of a release of Jetson Linux, or else the newest before it of the same line."""
    asked = _numbers(l4t)
    before = [
        (_numbers(one), release)
        for release in matrix().releases
        for one in release.l4t
        if _numbers(one)[:1] == asked[:1] and _numbers(one) <= asked
    ]
    return max(before, key=lambda pair: pair[0])[1] if before else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
