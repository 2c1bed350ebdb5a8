"""Videos that every browser plays, whole after every frame, whenever the process is killed.

A frame is a VP8 key frame, which is what a lossy WebP is made of (RFC 9649), so OpenCV's image
encoder makes it: at 640x360 in a third of the time of OpenCV's own VP8 writer, and without
FFmpeg. The container is Matroska's WebM subset, a cluster for each frame, with its own time.
"""

import fcntl
import mmap
import os
from pathlib import Path

import cv2

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.sinks import matroska
from stopline.runtime.sinks.matroska import Cluster

SUFFIX = ".webm"
QUALITY = 70  # of WebP, 0..100
LAST_MS = 100  # how long the last frame is shown, of which nobody knows when the next came
CUE_EVERY_MS = 1000
LAYOUT = matroska.head((0, 0))  # every head has the same parts in the same places


class WebmWriter(Closing):
    """`with WebmWriter(path, (640, 360)) as video: video.write(image, at_s)`."""

    def __init__(self, path: Path, size_wh: tuple[int, int], quality: int = QUALITY) -> None:
        """Create the file; raises OSError, for one if it is there already."""
        self.path = path
        self.size_wh = size_wh
        self.bytes = 0
        self._quality = quality
        self._clusters: list[Cluster] = []  # the first of each second
        self._first_s: float | None = None
        self._last_ms = -1
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # so that nobody takes it for a dead one's
        try:
            self._append(matroska.head(size_wh))
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def write(self, image: Image, at_s: float) -> None:
        """An image of `size_wh`, later than the one before, else taken to be 1 ms later.

        Raises OSError if it cannot be written: then the file is as it was before.
        """
        key_frame = vp8_key_frame(image, self._quality)
        first_s = at_s if self._first_s is None else self._first_s
        at_ms = max(self._last_ms + 1, round((at_s - first_s) * 1000))
        place = self.bytes
        self._append(matroska.cluster(at_ms, key_frame))
        self._first_s, self._last_ms = first_s, at_ms
        _note(self._clusters, (at_ms, place))

    def close(self) -> None:
        """Say how long it lasts and what is where; raises OSError, and it plays all the same."""
        if self._file < 0:
            return
        try:
            _finish(self._file, self._clusters, (self._last_ms, self.bytes))
        finally:
            os.close(self._file)
            self._file = -1

    def _append(self, data: bytes) -> None:
        try:
            _write_all(self._file, data, self.bytes)
        except OSError as error:
            os.ftruncate(self._file, self.bytes)
            raise OSError(f"cannot write {str(self.path)!r}: {error.strerror}") from error
        self.bytes += len(data)


def is_finished(path: Path) -> bool | None:
    """Whether a video was closed; None if it was not made here. Raises OSError."""
    with path.open("rb") as opened:
        start = opened.read(len(LAYOUT))
    if start[:4] != matroska.EBML or matroska.MADE_BY not in start or len(start) < len(LAYOUT):
        return None
    base = matroska.segment_base(LAYOUT)
    return start[:base] != LAYOUT[:base]


def finish_killed(path: Path) -> bool:
    """Make whole a video that nobody closed; False if it holds no frame.

    Raises OSError, for one (BlockingIOError) if it is still being written.
    """
    with path.open("r+b") as opened:
        file = opened.fileno()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
            found = list(matroska.whole_clusters(data, len(LAYOUT)))
        if not found:
            return False
        clusters: list[Cluster] = []
        for cluster, _ in found:
            _note(clusters, cluster)
        (last_ms, _), end = found[-1]
        os.ftruncate(file, end)
        _finish(file, clusters, (last_ms, end))
    return True


def vp8_key_frame(image: Image, quality: int = QUALITY) -> bytes:
    """(h, w, 3) BGR → a frame of a VP8 video: the chunk "VP8 " of a WebP's RIFF."""
    encoded, webp = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    riff, at = webp.tobytes(), 12
    while encoded and at < len(riff):
        name, size = riff[at : at + 4], int.from_bytes(riff[at + 4 : at + 8], "little")
        if name == b"VP8 ":
            return riff[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise OSError("this OpenCV makes no WebP, of whose frames a video is made")


def _note(clusters: list[Cluster], cluster: Cluster) -> None:
    """Keep the first of each second."""
    if not clusters or cluster[0] - clusters[-1][0] >= CUE_EVERY_MS:
        clusters.append(cluster)


def _finish(file: int, clusters: list[Cluster], last: tuple[int, int]) -> None:
    """`last` is the time of the last frame, in ms, and where the file ends."""
    last_ms, end = last
    base = matroska.segment_base(LAYOUT)
    cues = matroska.cues(clusters, base)
    length = matroska.duration(last_ms + LAST_MS)
    _write_all(file, cues, end)
    _write_all(file, length, LAYOUT.index(matroska.void(len(length))))
    _write_all(file, matroska.seek_head(end - base), base)
    os.fsync(file)
    # Last: a segment that has a size is finished.
    _write_all(file, matroska.size(end + len(cues) - base), base - 8)
    os.fsync(file)


def _write_all(file: int, data: bytes, place: int) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(file, data[written:], place + written)
