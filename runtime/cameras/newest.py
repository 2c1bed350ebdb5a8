"""One place for each live camera, in which its newest frame waits, and only that one."""

import threading
import time
from dataclasses import replace
from typing import NamedTuple

from stopline.runtime.cameras.camera import Clock
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
        self._writers = {0}  # whose frames are accepted; of several the first to put one
        self._newest_writer = 0
        self._writer: int | None = None
        self._first_index = 0  # of the current writer
        self._dropped = 0  # since the last one taken

    @property
    def empty(self) -> bool:
        """Whether no frame waits."""
        return self._waiting is None

    @property
    def writer(self) -> int | None:
        """Whose frames are in it; None while it waits for the first of several."""
        return self._writer

    def admit(self) -> int:
        """The number of a new writer, whose frames are accepted if no other's come first."""
        with self._news.lock:
            self._newest_writer += 1
            self._writers.add(self._newest_writer)
            return self._newest_writer

    def refuse(self) -> None:
        """Accept no frame of those who were admitted so far."""
        with self._news.lock:
            self._writers.clear()
            self._writer = None

    def put(self, frame: Frame, writer: int = 0) -> bool:
        """Replace the frame that waits, which is thereby dropped.

        False if the slot is over, or another writer's by now: then this one is dropped.
        """
        with self._news.lock:
            if self.over:
                return False
            if writer not in self._writers:
                self._refused()
                return False
            if writer != self._writer:
                self._writer, self._writers = writer, {writer}
                self._first_index = self._next_index
            if self._first_index:  # indices go on where the last writer's ended
                frame = replace(frame, index=self._first_index + frame.index)
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

    def lost(self) -> int:
        """Frames dropped since the last one taken, of which no frame that waits will tell."""
        if self._waiting is not None or not self._dropped:
            return 0
        with self._news.lock:
            lost, self._dropped = self._dropped, 0
            return lost

    def tell(self) -> None:
        """Wake who waits, as something happened to the camera."""
        with self._news.lock:
            self._news.tell()

    def end(self, error: Exception | None = None) -> None:
        """Accept nothing more; what waits can still be taken. The first reason given stays."""
        with self._news.lock:
            if not self.over:
                self.over, self.error = True, error
                self._news.tell()

    def _refused(self) -> None:
        """A frame that an abandoned writer brings late counts as given, and as dropped."""
        self._next_index += 1
        self._first_index += 1
        self._dropped += 1
