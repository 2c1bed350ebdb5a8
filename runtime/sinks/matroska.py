"""The elements of a WebM file (RFC 9559), as bytes in EBML (RFC 8794)."""

import mmap
import struct
from collections.abc import Iterator, Sequence

EBML, SEGMENT, VOID = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\xec"
SEEK_HEAD, INFO, TRACKS = b"\x11\x4d\x9b\x74", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b"
CLUSTER, CUES = b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b"
DURATION, TIMESTAMP, SIMPLE_BLOCK = b"\x44\x89", b"\xe7", b"\xa3"

MADE_BY = b"stopline"
UNKNOWN_SIZE = b"\x01" + b"\xff" * 7  # of a segment that is still being written
KEY_FRAME = b"\x80"
TRACK = 1

Cluster = tuple[int, int]  # timestamp in ms, place in the file


def element(name: bytes, *parts: bytes) -> bytes:
    """With its size in eight bytes, so that what stands for it later has the same length."""
    data = b"".join(parts)
    return name + size(len(data)) + data


def number(name: bytes, value: int) -> bytes:
    """An element that is an unsigned integer of eight bytes."""
    return element(name, struct.pack(">Q", value))


def head(size_wh: tuple[int, int]) -> bytes:
    """All before the first frame; what is known at the end only is void until then."""
    doctype = element(b"\x42\x82", b"webm"), number(b"\x42\x87", 4), number(b"\x42\x85", 2)
    limits = number(b"\x42\xf2", 4), number(b"\x42\xf3", 8)
    start = element(EBML, number(b"\x42\x86", 1), number(b"\x42\xf7", 1), *limits, *doctype)
    made_by = element(b"\x4d\x80", MADE_BY), element(b"\x57\x41", MADE_BY)
    milliseconds = number(b"\x2a\xd7\xb1", 1_000_000)
    info = element(INFO, milliseconds, *made_by, void(len(duration(0))))
    sides = element(b"\xe0", number(b"\xb0", size_wh[0]), number(b"\xba", size_wh[1]))
    video = number(b"\x83", 1), number(b"\x9c", 0), element(b"\x86", b"V_VP8"), sides
    track = element(b"\xae", number(b"\xd7", TRACK), number(b"\x73\xc5", TRACK), *video)
    return b"".join(
        (start, SEGMENT, UNKNOWN_SIZE, void(len(seek_head(0))), info, element(TRACKS, track))
    )


def cluster(at_ms: int, key_frame: bytes) -> bytes:
    """One frame."""
    block = bytes((0x80 | TRACK, 0, 0)) + KEY_FRAME + key_frame
    return element(CLUSTER, number(TIMESTAMP, at_ms), element(SIMPLE_BLOCK, block))


def duration(lasts_ms: float) -> bytes:
    """Of the whole."""
    return element(DURATION, struct.pack(">d", lasts_ms))


def seek_head(cues: int) -> bytes:
    """Where the cues are, from the start of the segment's data."""
    where = element(b"\x53\xab", CUES), number(b"\x53\xac", cues)
    return element(SEEK_HEAD, element(b"\x4d\xbb", *where))


def cues(clusters: Sequence[Cluster], base: int) -> bytes:
    """Where in the segment, which starts at `base`, is what."""
    return element(CUES, *(_cue(at_ms, place - base) for at_ms, place in clusters))


def segment_base(start: bytes) -> int:
    """Where the data of the segment begins in a file with that head."""
    return start.index(SEGMENT) + len(SEGMENT) + len(UNKNOWN_SIZE)


def whole_clusters(data: mmap.mmap, place: int) -> Iterator[tuple[Cluster, int]]:
    """Each with where it ends, from `place` on until the data ends or is something else."""
    fixed = len(CLUSTER) + 8
    while data[place : place + 4] == CLUSTER:
        end = place + fixed + _read_size(data[place + 4 : place + 12])
        if end > len(data):
            return
        at = place + fixed + len(TIMESTAMP) + 8
        yield (int.from_bytes(data[at : at + 8], "big"), place), end
        place = end


def _cue(at_ms: int, place: int) -> bytes:
    where = element(b"\xb7", number(b"\xf7", TRACK), number(b"\xf1", place))
    return element(b"\xbb", number(b"\xb3", at_ms), where)


def void(length: int) -> bytes:
    """Something of that length that says nothing."""
    return element(VOID, bytes(length - len(VOID) - 8))


def size(length: int) -> bytes:
    """As eight bytes say it."""
    return struct.pack(">Q", 1 << 56 | length)


def _read_size(eight: bytes) -> int:
    return int.from_bytes(eight, "big") & ((1 << 56) - 1)
