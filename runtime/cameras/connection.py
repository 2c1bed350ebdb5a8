"""One attempt at a live camera: a thread that opens it and hands on its frames until it fails."""

import threading
import time

from stopline.runtime.cameras.camera import Source
from stopline.runtime.cameras.newest import NewestFrame


class Connection:
    """Reads a camera in a thread of its own, for the thread may hang there, whatever is promised.

    Python must not wait for it at its end, so it is a daemon. It closes the camera itself: closing
    one under a read that hangs would crash OpenCV.
    """

    def __init__(self, source: Source, slot: NewestFrame) -> None:
        """Start to connect."""
        self.fps: float | None = None
        self.over = False
        self.error: Exception | None = None  # why it is over, if it failed
        self._source = source
        self._slot = slot
        self.writer = slot.admit()
        self._thread = threading.Thread(
            target=self._read, name=f"camera {source.name}", daemon=True
        )
        self._thread.start()

    @property
    def hangs(self) -> bool:
        """Whether its thread is still somewhere in the camera."""
        return self._thread.is_alive()

    def join(self, deadline_s: float) -> None:
        """Wait for the thread until that `time.monotonic()`."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))

    def _read(self) -> None:
        try:
            with self._source.open() as camera:
                self.fps = camera.fps
                for frame in camera:
                    if not self._slot.put(frame, self.writer):
                        return
        except Exception as error:  # in a thread nobody would see it: the feed tells it
            self.error = error
        self.over = True
        self._slot.tell()
