"""Network streams through OpenCV's FFmpeg."""

import time

import cv2

from stopline.runtime.cameras.live_camera import OPEN_TIMEOUT_MS, READ_TIMEOUT_MS
from stopline.runtime.quiet import silence_opencv


def open_stream(url: str, name: str) -> cv2.VideoCapture:
    """Open a network stream; `name` is the URL as it may be shown. Raises OSError."""
    silence_opencv()
    if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        raise OSError(
            f"this OpenCV ({cv2.__version__}) has no FFmpeg to read {name}: for Motion JPEG try "
            "'gst:souphttpsrc location=http://… ! multipartdemux ! jpegdec'"
        )
    started = time.monotonic()
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, _parameters())
    if not capture.isOpened():
        capture.release()
        waited = time.monotonic() - started
        raise OSError(f"no video at {name} ({waited:.1f} s tried): is the address right, is it on?")
    return capture


def _parameters() -> list[int]:
    deadlines = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS),
    ]
    if not hasattr(cv2, "CAP_PROP_N_THREADS"):  # OpenCV before 4.7
        return deadlines
    # FFmpeg's threads each decode another frame: n of them give a frame n - 1 frames late.
    return [*deadlines, cv2.CAP_PROP_N_THREADS, 1]
