"""Whether a video file is all there, by the sizes its own container states.

OpenCV cannot tell: it reads what it can and calls that the end. Nor can the frame count: a clip
that was trimmed without re-encoding holds more frames than it shows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MP4_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"))
EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  # Matroska and WebM
HEAD = 4096


def missing_bytes(path: Path) -> int:
    """At least how many bytes the file lacks; 0 if it is whole or of a kind that does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return max(0, max(_ends(file, size), default=0) - size)


def looks_like_text(path: Path) -> bool:
    """FFmpeg plays a text file as a video of its letters; a real video has zeros in its head."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return bool(head) and not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def _ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where each outermost part of the container says that it ends."""
    head = file.read(12)
    if head[4:8] in MP4_BOXES:
        yield from _mp4_ends(file, size)
    elif head[:4] == b"RIFF":
        yield from _riff_ends(file, size)
    elif head[:4] == EBML:
        yield from _matroska_ends(file)


def _mp4_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """ISO 14496-12, 4.2: a size of 0 means to the end of the file, 1 that 64 bits follow."""
    at, indexed = 0, False
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        indexed = indexed or head[4:8] == b"moov"
        length, smallest = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, smallest = int.from_bytes(head[8:16], "big"), 16
        if length < smallest:
            return
        at += length
        yield at
    if not indexed:
        yield max(at, size) + 8  # without its index nothing can be read


def _riff_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """AVI: one RIFF chunk, and more of them in files over 1 GB (OpenDML)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        if head[:4] != b"RIFF":
            return
        at += 8 + int.from_bytes(head[4:8], "little")
        yield at


def _matroska_ends(file: BinaryIO) -> Iterator[int]:
    """RFC 8794: the header, then one segment; all ones is a size not known when it was written."""
    file.seek(4)
    header = _vint(file)
    if header is None:
        return
    file.seek(header, 1)
    if file.read(4) == SEGMENT and (length := _vint(file)) is not None:
        yield file.tell() + length


def _vint(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1), "big") & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value
