"""A video file as a camera that gives every frame, at the rate it is asked for them."""

import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from stopline.runtime.bgr import bgr_from_any
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.cameras.capture import Capture
from stopline.runtime.cameras.container import looks_like_text, missing_bytes
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame
from stopline.runtime.quiet import silence_opencv

MAX_FPS = 1000  # above, it is the time base of a file without a rate


class VideoFile(Closing):
    """Read in the caller's own thread: decoding beside inference costs throughput on few cores."""

    live = False

    def __init__(self, path: str | Path, clock: Clock = time.monotonic_ns) -> None:
        """Raise OSError, with what is wrong with the file, if no frame of it can be read."""
        self.name = str(path)
        self._missing = missing_bytes(Path(path))
        self._capture = _opened(Path(path), self._missing)
        self._clock = clock
        self.fps = rate_of(self._capture)
        self._stated = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def __iter__(self) -> Iterator[Frame]:
        """Raise OSError after the last frame if the file holds fewer than it should."""
        index = 0
        while True:
            # Before decoding, which is part of how old a result is.
            started = self._clock()
            read, image = self._capture.read()
            if not read:
                break
            yield Frame(self.name, index, started, bgr_from_any(image))
            index += 1
        self._check_whole(index)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _check_whole(self, read: int) -> None:
        of = f"{read} of {self._stated} frames" if self._stated > 0 else f"{read} frames"
        if self._missing:
            raise OSError(
                f"video {self.name!r} is cut short: {of} read, at least {self._missing} bytes "
                "missing; copy or record it again"
            )
        if read == 0:
            raise OSError(f"video {self.name!r} has no frame that can be decoded")


def rate_of(capture: Capture) -> float | None:
    """Frames a second, None where the source does not say or says nonsense."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0 < fps <= MAX_FPS else None


def _opened(path: Path, missing: int) -> cv2.VideoCapture:
    silence_opencv()
    name = str(path)
    with path.open("rb"):  # a file that may not be read is refused by the system's own words
        pass
    size = path.stat().st_size
    if size == 0:
        raise OSError(f"video {name!r} is empty (0 bytes)")
    if looks_like_text(path):
        raise OSError(f"{name!r} is a text file: wanted a video")
    capture = cv2.VideoCapture(name, ffmpeg_or_any())
    if capture.isOpened():
        return capture
    capture.release()
    if missing:
        raise OSError(
            f"video {name!r} is cut short, no frame can be read: at least {missing} bytes "
            "missing; copy or record it again"
        )
    raise OSError(f"{name!r} is no video that OpenCV can read: `ffprobe {name}` may say why")


def ffmpeg_or_any() -> int:
    """FFmpeg where this OpenCV has it: left to choose, OpenCV tries seven readers on a bad file."""
    has_it = cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG)
    return cv2.CAP_FFMPEG if has_it else cv2.CAP_ANY
