"""An MP4 that plays at every moment, so that a killed process leaves what it has recorded."""

import os
import tempfile
import threading
import time
from pathlib import Path

import cv2

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.quiet import silence_opencv

# Smooth Streaming, which is MP4 in fragments: a moov without frames, then, from key frame to key
# frame, an index and its frames. OpenCV chooses the muxer by the name and passes it no options,
# so this suffix is the one way to have fragments from it.
FRAGMENTED = ".ismv"
SUFFIX = ".mp4"
SMALLEST_SIDE = 32  # MPEG-4 encoders refuse less than a few macroblocks
PIPE_BYTES = 1 << 16
SYNC_EVERY_S = 1.0  # what is on the disk by then outlives a power cut


class VideoWriter(Closing):
    """Writes MPEG-4 as an MP4 in fragments of 12 frames, each of them on record once it is whole.

    One that the disk does not take is left out; the ones after it are tried.

    FFmpeg holds 256 KiB back before it writes to a file, which of a quiet scene is seven seconds,
    but nothing before it writes to a pipe. So it gets a pipe, and a thread empties that.
    """

    suffix = SUFFIX

    def __init__(self, path: Path, fps: float, size_wh: tuple[int, int]) -> None:
        """Raise OSError where no video can be written. The sides are even, 32 at least."""
        silence_opencv()
        if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
            raise OSError(f"cannot record {str(path)!r}: this OpenCV was built without FFmpeg")
        self.path = path
        with tempfile.TemporaryDirectory(prefix="stopline-") as folder:
            pipe = Path(folder, f"video{FRAGMENTED}")  # not beside the video: FAT has no pipes
            os.mkfifo(pipe)
            self._pump = _Pump(pipe, path)
            kind = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(pipe), cv2.CAP_FFMPEG, kind, fps, size_wh)
        opened = self._writer.isOpened()
        self._pump.start()
        if not opened:
            self.close()
            raise OSError(f"cannot record {str(path)!r}: no MPEG-4 of {size_wh} at {fps} fps")

    def write(self, image: Image) -> None:
        """Append one image of the size that was said; raises OSError while the disk takes none."""
        # OpenCV 5 says whether it was encoded; 4 gives None.
        if self._writer.write(image) is False:
            raise OSError(f"cannot record {str(self.path)!r}: the encoder failed")
        self._pump.check()

    def close(self) -> None:
        """Write what is left; raises OSError if the disk has not taken all of the video.

        Of a video of which it has taken nothing, no file remains.
        """
        self._writer.release()
        self._pump.join()
        if not self._pump.holds_frames:
            self.path.unlink(missing_ok=True)
        self._pump.check()
        if self._pump.lost:
            raise OSError(f"{str(self.path)!r} lacks {self._pump.lost} pieces: was the disk full?")


class _Pump(threading.Thread):
    """Takes what FFmpeg writes into a pipe to the file, fragment by fragment."""

    def __init__(self, pipe: Path, path: Path) -> None:
        super().__init__(name=f"video {path.name}", daemon=True)
        self.holds_frames = False
        self.lost = 0  # fragments
        self._path = path
        self._error: OSError | None = None  # of the latest fragment
        self._synced_s = time.monotonic()
        # Without waiting for FFmpeg: it may fail to open the other end.
        self._pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o666)
        except OSError:
            os.close(self._pipe)
            raise
        os.set_blocking(self._pipe, True)

    def check(self) -> None:
        """Raise the OSError that befell the latest fragment."""
        if (error := self._error) is not None:
            raise OSError(error.errno, f"cannot record {str(self._path)!r}: {error.strerror}")

    def run(self) -> None:
        held = bytearray()
        while piece := os.read(self._pipe, PIPE_BYTES):
            held += piece
            while whole := fragment_end(held):
                self._put(bytes(held[:whole]))
                del held[:whole]
        if held:
            self._put(bytes(held))
        os.close(self._file)
        os.close(self._pipe)

    def _put(self, fragment: bytes) -> None:
        """All of it or nothing: half a fragment is a picture with holes in it."""
        began = os.fstat(self._file).st_size
        try:
            _write_all(self._file, fragment)
            if time.monotonic() - self._synced_s >= SYNC_EVERY_S:
                os.fdatasync(self._file)
                self._synced_s = time.monotonic()
            self._error = None
            self.holds_frames = self.holds_frames or b"mdat" in fragment
        except OSError as error:
            os.ftruncate(self._file, began)
            self._error = error
            self.lost += 1


def fragment_end(data: bytes | bytearray) -> int:
    """Where the first fragment (its index and its frames), or the header, ends; 0 if beyond.

    ISO/IEC 14496-12: a box is its size, its kind and its content.
    """
    at = 0
    while at + 16 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:  # it is too large for four bytes
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        at += size
        if at > len(data) or size == 0:
            return 0
        if kind in (b"moov", b"mdat"):
            return at
    return 0


def _write_all(file: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(file, data[written:])


def even_hw(image: Image) -> tuple[int, int]:
    """The size of a video of such images: MPEG-4 halves the sides for colour."""
    height, width = (max(SMALLEST_SIDE, side + side % 2) for side in image.shape[:2])
    return height, width
