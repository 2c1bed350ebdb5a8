"""Cameras that do not wait for us: V4L2 devices and network streams, through OpenCV."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from stopline.runtime.bgr import bgr_from_any
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.cameras.video_file import rate_of
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame
from stopline.runtime.quiet import silence_opencv

# OpenCV's own are 30 s and 10 s. Shorter than the pipeline's, and its reason reaches the user.
OPEN_TIMEOUT_MS = 8_000
READ_TIMEOUT_MS = 5_000
UNDECODED_NS = 5_000_000_000  # frames that arrive but cannot be decoded, for so long, are a failure


class LiveCamera(Closing):
    """Reads an open capture; must be iterated in a thread of its own."""

    live = True

    def __init__(
        self, name: str, capture: cv2.VideoCapture, clock: Clock = time.monotonic_ns
    ) -> None:
        self.name = name
        self.fps = rate_of(capture)
        self._capture = capture
        self._clock = clock

    def __iter__(self) -> Iterator[Frame]:
        """Raise OSError when no frame comes any more: a camera does not say that it is over."""
        index = -1
        decoded_ns = self._clock()
        while self._capture.grab():
            index += 1
            grabbed_ns = self._clock()
            decoded, image = self._capture.retrieve()
            if decoded:
                decoded_ns = grabbed_ns
                yield Frame(self.name, index, grabbed_ns, bgr_from_any(image))
            elif grabbed_ns - decoded_ns > UNDECODED_NS:
                raise OSError(f"camera {self.name!r} sends frames that cannot be decoded")
        given = f"after {index + 1} frames" if index >= 0 else "before its first frame"
        raise OSError(f"camera {self.name!r} stopped giving frames {given}")

    def close(self) -> None:
        """Give the device or connection back."""
        self._capture.release()


def open_v4l2(device: str) -> cv2.VideoCapture:
    """Open /dev/videoN; raises OSError if it is not there, not ours to read, or gives no video."""
    silence_opencv()
    listing = "`v4l2-ctl --list-devices` lists the cameras"
    if not Path(device).exists():
        raise OSError(f"no camera {device}: {listing}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise OSError(
            f"camera {device} may not be read: `sudo usermod -aG video $USER`, log in again"
        )
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(READ_TIMEOUT_MS // 1000))
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise OSError(f"cannot open {device}: is it a camera, and free? {listing}")
    return capture


def open_stream(url: str, name: str) -> cv2.VideoCapture:
    """Open a network stream; `name` is the URL as it may be shown. Raises OSError."""
    silence_opencv()
    if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        raise OSError(f"this OpenCV ({cv2.__version__}) has no FFmpeg: use gst:… for {name}")
    deadlines = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS),
    ]
    started = time.monotonic()
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, deadlines)
    if not capture.isOpened():
        capture.release()
        waited = time.monotonic() - started
        raise OSError(f"no video at {name} ({waited:.1f} s tried): is the address right, is it on?")
    return capture
