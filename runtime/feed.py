"""What the pipeline knows of one camera: how to get its next frame, and in what state it is."""

import threading
import time
from collections.abc import Iterator
from typing import Protocol

from stopline.runtime.camera import Clock, Source
from stopline.runtime.camera_state import SECOND_NS, Patience, state_after
from stopline.runtime.frame import CameraState, Frame
from stopline.runtime.newest import NewestFrame, News, Taken


class Feed(Protocol):
    """A camera in use."""

    name: str
    live: bool
    fps: float | None  # None too until it is open

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""

    @property
    def error(self) -> Exception | None:
        """Why it is over, if it failed."""

    def state(self, now_ns: int) -> CameraState:
        """Its state at that moment."""

    def ready(self) -> bool:
        """Whether `take` is worth calling."""

    def take(self) -> Taken | None:
        """The next frame, or None if there is none after all."""

    def scene_ns(self, frame: Frame) -> int | None:
        """When the scene looked like that; None if its frames need not show one scene."""

    def fresh(self, now_ns: int) -> bool:
        """Whether what was taken last may still be shown as what the camera sees."""

    def give_up(self, now_ns: int) -> None:
        """Fail it if it has been silent for so long that nobody should wait for it."""

    def stop(self) -> None:
        """Take nothing more from the camera."""

    def close(self, deadline_s: float) -> None:
        """Give the camera back, or abandon it if it hangs beyond that `time.monotonic()`."""

    @property
    def hangs(self) -> bool:
        """Whether it was abandoned and is still in use."""


class FileFeed:
    """Every frame of a file, decoded when it is asked for, in the thread that asks."""

    live = False
    hangs = False

    def __init__(self, source: Source, clock: Clock) -> None:
        """Open the file; raises OSError."""
        self._camera = source.open()
        self.name = source.name
        self.fps: float | None = self._camera.fps
        self.over = False
        self.error: Exception | None = None
        self._frames: Iterator[Frame] = iter(self._camera)
        self._next_index = 0
        self._clock = clock

    def state(self, now_ns: int) -> CameraState:
        """A file has no deadline: it is read when it is wanted."""
        if self.error is not None:
            return CameraState.LOST
        if self.over:
            return CameraState.ENDED
        return CameraState.LIVE if self._next_index else CameraState.CONNECTING

    def ready(self) -> bool:
        """There is always a next frame until there is none."""
        return not self.over

    def take(self) -> Taken | None:
        """Decode the next frame; None at the end, good or bad."""
        try:
            frame = next(self._frames)
        except StopIteration:
            self.over = True
            return None
        except OSError as error:
            self.over, self.error = True, error
            return None
        skipped, self._next_index = frame.index - self._next_index, frame.index + 1
        return Taken(frame, skipped, {"decode": self._clock() - frame.captured_ns})

    def scene_ns(self, frame: Frame) -> int | None:
        """By the rate it was recorded at, however fast it is read; stills have none."""
        return None if self.fps is None else round(frame.index * SECOND_NS / self.fps)

    def fresh(self, now_ns: int) -> bool:
        """A frame of a file does not age."""
        return True

    def give_up(self, now_ns: int) -> None:
        """It cannot be silent."""

    def stop(self) -> None:
        """Read no further."""
        self.over = True

    def close(self, deadline_s: float) -> None:
        """Close the file."""
        self._camera.close()


class LiveFeed:
    """The newest frame of a camera that is opened and read in a thread of its own."""

    live = True

    def __init__(self, source: Source, news: News, patience: Patience, clock: Clock) -> None:
        """Start to connect; what goes wrong there shows as `error` later."""
        self.name = source.name
        self.fps: float | None = None
        self._source = source
        self._slot = NewestFrame(news, clock)
        self._patience = patience
        self._started_ns = clock()
        # A daemon: Python must not wait at its end for a camera that hangs.
        self._thread = threading.Thread(target=self._read, name=f"camera {self.name}", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """A frame that still waits is served first."""
        return self._slot.over and self._slot.empty

    @property
    def error(self) -> Exception | None:
        """Why it is over, if it failed."""
        return self._slot.error

    def state(self, now_ns: int) -> CameraState:
        """By the age of its newest frame, until it is over."""
        if self.over:
            return CameraState.ENDED if self.error is None else CameraState.LOST
        newest_ns = self._slot.newest_ns
        return state_after(None if newest_ns is None else now_ns - newest_ns, self._patience)

    def ready(self) -> bool:
        """Whether a frame came that was not served."""
        return not self._slot.empty

    def take(self) -> Taken | None:
        """The newest frame."""
        return self._slot.take()

    def scene_ns(self, frame: Frame) -> int | None:
        """When it was grabbed."""
        return frame.captured_ns

    def fresh(self, now_ns: int) -> bool:
        """Not if the next frame is overdue: then nobody knows what the camera sees."""
        newest_ns = self._slot.newest_ns
        silence_ns = None if newest_ns is None else now_ns - newest_ns
        return state_after(silence_ns, self._patience) is CameraState.LIVE

    def give_up(self, now_ns: int) -> None:
        """Abandon the thread; if its frame comes after all, it is refused."""
        newest_ns = self._slot.newest_ns
        silent_ns = now_ns - (self._started_ns if newest_ns is None else newest_ns)
        if silent_ns >= self._patience.give_up_after_s * SECOND_NS:
            silent_s = f"{silent_ns / SECOND_NS:.1f} s"
            self._slot.end(OSError(f"camera {self.name!r} gave no frame for {silent_s}"))

    def stop(self) -> None:
        """Let the thread go after its next frame."""
        self._slot.end()

    def close(self, deadline_s: float) -> None:
        """The thread closes the camera: closing it under a read that hangs would crash OpenCV."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))

    @property
    def hangs(self) -> bool:
        """Whether its thread is still somewhere in the camera."""
        return self._thread.is_alive()

    def _read(self) -> None:
        try:
            with self._source.open() as camera:
                self.fps = camera.fps
                self._patience = self._patience.at_rate(camera.fps)
                for frame in camera:
                    if not self._slot.put(frame):
                        return
            self._slot.end()
        except Exception as error:  # in a thread nobody would see it: the pipeline raises it again
            self._slot.end(error)
