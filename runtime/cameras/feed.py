"""What the pipeline knows of one camera: how to get its next frame, and in what state it is."""

from collections.abc import Iterator
from typing import Protocol

from stopline.runtime.cameras.camera import Clock, Source
from stopline.runtime.cameras.camera_state import SECOND_NS, Patience
from stopline.runtime.cameras.newest import Taken
from stopline.runtime.frame import CameraState, Frame


class Feed(Protocol):
    """A camera in use."""

    name: str
    live: bool
    connections: int  # made so far
    trouble: Exception | None  # why the last one ended, though another followed

    @property
    def fps(self) -> float | None:
        """What the source says of itself; None too until it is open."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""

    @property
    def error(self) -> Exception | None:
        """Why it is over, if it failed."""

    @property
    def patience(self) -> Patience:
        """When silence makes it STALE, and when LOST."""

    @property
    def waiting_ns(self) -> int | None:
        """When the frame that waits was captured; None if none does, or if it does not age."""

    def state(self, now_ns: int) -> CameraState:
        """Its state at that moment."""

    def ready(self) -> bool:
        """Whether `take` is worth calling."""

    def take(self) -> Taken | None:
        """The next frame, or None if there is none after all."""

    def lost(self) -> int:
        """Frames of which nothing came since this, or `take`, was last called, and none waits."""

    def scene_ns(self, frame: Frame) -> int | None:
        """When the scene looked like that; None if its frames need not show one scene."""

    def fresh(self, now_ns: int) -> bool:
        """Whether what was taken last may still be shown as what the camera sees."""

    def tend(self, now_ns: int) -> None:
        """Do what is due: give up a connection that is silent for too long, make a new one."""

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
    connections = 1
    trouble: Exception | None = None
    patience = Patience()
    waiting_ns: int | None = None

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

    def lost(self) -> int:
        """What it skips, its next frame tells."""
        return 0

    def scene_ns(self, frame: Frame) -> int | None:
        """By the rate it was recorded at, however fast it is read; stills have none."""
        return None if self.fps is None else round(frame.index * SECOND_NS / self.fps)

    def fresh(self, now_ns: int) -> bool:
        """A frame of a file does not age."""
        return True

    def tend(self, now_ns: int) -> None:
        """It cannot be silent."""

    def stop(self) -> None:
        """Read no further."""
        self.over = True

    def close(self, deadline_s: float) -> None:
        """Close the file."""
        self._camera.close()
