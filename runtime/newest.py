"""One place for each live camera, in which its newest frame waits, and only that one."""

import threading
import time
from typing import NamedTuple

from stopline.runtime.camera import Clock
from stopline.runtime.frame import Frame


class Taken(NamedTuple):
    """A frame on its way to the detector, and what happened to its camera since the last one."""

    frame: Frame
    dropped: int  # frames lost in between
    stages_ns: dict[str, int]


class News:
    """What all slots share, so that whoever waits for one camera waits for any."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.count = 0  # of changes so far

    def tell(self) -> None:
        """Wake who waits; the caller holds the lock."""
        self.count += 1
        self.lock.notify_all()

    def wait(self, seen: int, timeout_s: float) -> None:
        """Return once `count` is no longer `seen`, or after the time."""
        with self.lock:
            self.lock.wait_for(lambda: self.count != seen, timeout_s)


class NewestFrame:
    """The slot of one camera: its thread puts, the pipeline takes, what is replaced is counted."""

    def __init__(self, news: News, clock: Clock = time.monotonic_ns) -> None:
        self.newest_ns: int | None = None  # when the newest frame ever put was captured
        self.over = False  # nothing more is accepted
        self.error: Exception | None = None  # why it is over
        self._news = news
        self._clock = clock
        self._waiting: tuple[Frame, int] | None = None  # not taken yet, and when it was put
        self._next_index = 0
        self._dropped = 0  # since the last one taken

    @property
    def empty(self) -> bool:
        """Whether no frame waits."""
        return self._waiting is None

    def put(self, frame: Frame) -> bool:
        """Replace the frame that waits, which is thereby dropped; False if the slot is over."""
        with self._news.lock:
            if self.over:
                return False
            skipped_by_camera = frame.index - self._next_index
            self._dropped += skipped_by_camera + (self._waiting is not None)
            self._next_index = frame.index + 1
            self._waiting, self.newest_ns = (frame, self._clock()), frame.captured_ns
            self._news.tell()
            return True

    def take(self) -> Taken | None:
        """Empty the slot; None if nothing new is in it."""
        with self._news.lock:
            if self._waiting is None:
                return None
            frame, put_ns = self._waiting
            stages = {"decode": put_ns - frame.captured_ns, "wait": self._clock() - put_ns}
            dropped, self._dropped, self._waiting = self._dropped, 0, None
            return Taken(frame, dropped, stages)

    def end(self, error: Exception | None = None) -> None:
        """Accept nothing more; what waits can still be taken. The first reason given stays."""
        with self._news.lock:
            if not self.over:
                self.over, self.error = True, error
                self._news.tell()
