"""Cameras that do not wait for us, read through OpenCV."""

import time
from collections.abc import Iterator

import cv2

from stopline.runtime.bgr import bgr_from_any
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.cameras.capture import Capture
from stopline.runtime.cameras.capture_clock import CaptureTime, by_arrival
from stopline.runtime.cameras.video_file import rate_of
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame

# OpenCV's own are 30 s and 10 s. Shorter than the pipeline's, and its reason reaches the user.
OPEN_TIMEOUT_MS = 8_000
READ_TIMEOUT_MS = 5_000
# What is wrong with a connection for so long ends it: a new one may be better.
UNDECODED_NS = 5_000_000_000  # frames arrive but cannot be decoded
LATE_NS = 1_000_000_000  # a frame older than that is late
LATE_FOR_NS = 5_000_000_000  # none that is not: a new connection skips what piled up


class LiveCamera(Closing):
    """Reads an open capture; must be iterated in a thread of its own."""

    live = True

    def __init__(
        self,
        name: str,
        capture: Capture,
        clock: Clock = time.monotonic_ns,
        captured: CaptureTime = by_arrival,
    ) -> None:
        """`captured` tells a frame's time from its stamp; it is new with each connection."""
        self.name = name
        self.fps = rate_of(capture)
        self._capture = capture
        self._clock = clock
        self._captured = captured

    def __iter__(self) -> Iterator[Frame]:
        """Raise OSError when no frame comes any more: a camera does not say that it is over."""
        index = -1
        decoded_ns = timely_ns = self._clock()
        while self._capture.grab():
            index += 1
            grabbed_ns = self._clock()
            captured_ns = self._captured(self._capture.get(cv2.CAP_PROP_POS_MSEC), grabbed_ns)
            if captured_ns is None:
                continue
            if (age_ns := grabbed_ns - captured_ns) <= LATE_NS:
                timely_ns = grabbed_ns
            elif grabbed_ns - timely_ns > LATE_FOR_NS:
                raise OSError(_too_late(self.name, age_ns))
            decoded, image = self._capture.retrieve()
            if decoded:
                decoded_ns = grabbed_ns
                yield Frame(self.name, index, captured_ns, bgr_from_any(image))
            elif grabbed_ns - decoded_ns > UNDECODED_NS:
                raise OSError(f"camera {self.name!r} sends frames that cannot be decoded")
        given = f"after {index + 1} frames" if index >= 0 else "before its first frame"
        raise OSError(f"camera {self.name!r} stopped giving frames {given}")

    def close(self) -> None:
        """Give the device or connection back."""
        self._capture.release()


def _too_late(name: str, age_ns: int) -> str:
    return (
        f"the frames of camera {name!r} come {age_ns / 1e9:.1f} s late and do not catch up: "
        "choose a smaller size or rate in the camera's own settings, or its substream"
    )
