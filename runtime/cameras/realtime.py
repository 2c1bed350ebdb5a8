"""A file played as if it were a camera: what a model would have missed, it misses."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from stopline.runtime.cameras.camera import Camera, Clock
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame

Sleep = Callable[[float], None]  # seconds


class AtItsOwnRate(Closing):
    """Gives each frame of `recorded` when it is due, and stamps it with that moment."""

    live = True

    def __init__(
        self, recorded: Camera, clock: Clock = time.monotonic_ns, sleep: Sleep = time.sleep
    ) -> None:
        """Raise ValueError if the recording does not say its rate."""
        if not recorded.fps:
            recorded.close()
            raise ValueError(f"{recorded.name!r} does not state its rate: omit --realtime")
        self.name = recorded.name
        self.fps: float | None = recorded.fps
        self._period_ns = 1e9 / recorded.fps
        self._recorded = recorded
        self._clock = clock
        self._sleep = sleep

    def __iter__(self) -> Iterator[Frame]:
        """Like the recording's own, but never ahead of the clock."""
        started = self._clock()
        for frame in self._recorded:
            early_ns = started + frame.index * self._period_ns - self._clock()
            if early_ns > 0:
                self._sleep(early_ns / 1e9)
            yield replace(frame, captured_ns=self._clock())

    def close(self) -> None:
        """Close the recording."""
        self._recorded.close()
