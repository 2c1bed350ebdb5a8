"""Codecs and OpenCV write to stderr on their own; our errors are one line, so they are silenced."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

LOG_SILENT = 0
FFMPEG_QUIET = "-8"  # AV_LOG_QUIET
_redirecting = threading.Lock()


def silence_opencv() -> None:
    """Silence what OpenCV logs, unless its own variables in the environment ask for the log."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)  # read at its first file
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    at_top = getattr(cv2, "setLogLevel", None)  # OpenCV 4; 5 has it in cv2.utils.logging
    set_level = at_top or cv2.utils.logging.setLogLevel
    set_level(LOG_SILENT)


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a moment.

    libpng and libjpeg print there, past any log level. It is the whole process's descriptor,
    so use it around a single decode; the lock keeps two threads from swapping it for each other.
    """
    with _redirecting:
        try:
            kept = os.dup(2)
        except OSError:  # a daemon without a stderr has nothing to silence
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
