"""The newest frame of a live camera, which is opened again when it fails."""

import random
from dataclasses import dataclass, field

from stopline.runtime.cameras.camera import Clock, Source
from stopline.runtime.cameras.camera_state import SECOND_NS, Patience, state_after
from stopline.runtime.cameras.connection import Connection
from stopline.runtime.cameras.newest import NewestFrame, News, Taken
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.frame import CameraState, Frame


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How long it may be silent, and what is done then."""

    patience: Patience = field(default_factory=Patience)
    reconnect: Reconnect = field(default_factory=Reconnect)


class LiveFeed:
    """A camera that is read in a thread; `tend` replaces a thread that failed or hangs."""

    live = True

    def __init__(self, source: Source, news: News, settings: LiveSettings, clock: Clock) -> None:
        """Start to connect; what goes wrong there shows as `error` later."""
        self.name = source.name
        self.trouble: Exception | None = None
        self.connections = 0
        self._source = source
        self._slot = NewestFrame(news, clock)
        self._settings = settings
        self._clock = clock
        self._failures = 0  # in a row
        self._again_ns: int | None = None  # when to try again; None while connected
        self._attempts: list[Connection] = []  # the newest last; older ones may hang
        self._connect(clock())

    @property
    def fps(self) -> float | None:
        """What the camera says of itself."""
        return self._current.fps

    @property
    def over(self) -> bool:
        """A frame that still waits is served first."""
        return self._slot.over and self._slot.empty

    @property
    def error(self) -> Exception | None:
        """Why it is over, if it failed for good."""
        return self._slot.error

    @property
    def patience(self) -> Patience:
        """More of it for a camera whose frames are far apart."""
        return self._settings.patience.at_rate(self.fps)

    @property
    def waiting_ns(self) -> int | None:
        """When the frame that waits was captured."""
        return None if self._slot.empty else self._slot.newest_ns

    def state(self, now_ns: int) -> CameraState:
        """By the age of its newest frame, until it is over."""
        if self.over:
            return CameraState.ENDED if self.error is None else CameraState.LOST
        return state_after(self._silence_ns(now_ns), self.patience)

    def ready(self) -> bool:
        """Whether a frame came that was not served."""
        return not self._slot.empty

    def take(self) -> Taken | None:
        """The newest frame."""
        return self._slot.take()

    def lost(self) -> int:
        """Frames that were refused since the last one was taken, if none came after them."""
        return self._slot.lost()

    def scene_ns(self, frame: Frame) -> int | None:
        """When it was grabbed."""
        return frame.captured_ns

    def fresh(self, now_ns: int) -> bool:
        """Not if the next frame is overdue: then nobody knows what the camera sees."""
        return state_after(self._silence_ns(now_ns), self.patience) is CameraState.LIVE

    def tend(self, now_ns: int) -> None:
        """Give up a connection that failed or is silent for too long, and make a new one in time.

        An abandoned thread may still hang in its read; a frame that it brings late is refused.
        """
        if self._slot.over:
            return
        if self._again_ns is not None:
            if now_ns >= self._again_ns and self._few_hang():
                self._connect(now_ns)
        elif self._current.over:
            self._ended(self._current.error, now_ns)
        elif (silent_ns := now_ns - self._heard_ns()) >= self.patience.give_up_after_s * SECOND_NS:
            silent_s = f"{silent_ns / SECOND_NS:.1f} s"
            self._ended(OSError(f"camera {self.name!r} gave no frame for {silent_s}"), now_ns)
        elif self._worth_another_beside(now_ns):
            self._connect(now_ns)

    def stop(self) -> None:
        """Let the thread go after its next frame."""
        self._slot.end()

    def close(self, deadline_s: float) -> None:
        """Wait for the threads, but not for one that hangs."""
        for connection in self._attempts:
            connection.join(deadline_s)

    @property
    def hangs(self) -> bool:
        """Whether a thread is still somewhere in the camera."""
        return any(one.hangs for one in self._attempts)

    @property
    def _current(self) -> Connection:
        """The one whose frames are taken, or while none is, the newest attempt."""
        taken = [one for one in self._attempts if one.writer == self._slot.writer]
        return taken[0] if taken else self._attempts[-1]

    def _silence_ns(self, now_ns: int) -> int | None:
        newest_ns = self._slot.newest_ns
        return None if newest_ns is None else now_ns - newest_ns

    def _heard_ns(self) -> int:
        return max(self._connected_ns, self._slot.newest_ns or 0)

    def _connect(self, now_ns: int) -> None:
        self._again_ns, self._connected_ns = None, now_ns
        hanging = [one for one in self._attempts if one.hangs]
        # In one step: other threads ask for the state meanwhile.
        self._attempts = [*hanging, Connection(self._source, self._slot)]
        self.connections += 1

    def _ended(self, error: Exception | None, now_ns: int) -> None:
        """Of a connection: say so for good, or set the time of the next one."""
        self._slot.refuse()
        newest_ns = self._slot.newest_ns
        gave = newest_ns is not None and newest_ns >= self._connected_ns
        self._failures = 1 if gave else self._failures + 1
        if not self._worth_another(error):
            self._slot.end(error)
            return
        self.trouble = error
        wait_s = self._settings.reconnect.wait_s(self._failures, random.random())
        self._again_ns = now_ns + round(wait_s * SECOND_NS)

    def _worth_another(self, error: Exception | None) -> bool:
        """Not if it said that it is over, or if the mistake is in the camera's code."""
        return (
            isinstance(error, (OSError, ValueError))
            and self._worth_trying()
            and self._failures <= self._settings.reconnect.most_failures
        )

    def _worth_another_beside(self, now_ns: int) -> bool:
        tried_ns = now_ns - self._connected_ns
        return (
            self._slot.writer is None
            and tried_ns >= self._settings.reconnect.another_after_s * SECOND_NS
            and self._worth_trying()
            and self._few_hang()
        )

    def _worth_trying(self) -> bool:
        known_good = self._slot.newest_ns is not None or self._settings.reconnect.from_start
        return known_good and self._source.reopens

    def _few_hang(self) -> bool:
        hanging = sum(one.hangs for one in self._attempts)
        return hanging < self._settings.reconnect.most_hanging
