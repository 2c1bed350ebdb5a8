"""The street as a camera: frames that come when a camera's would, faults included."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame
from stopline.runtime.sim.chance import dice
from stopline.runtime.sim.road import Road, View
from stopline.runtime.sim.url import parse_road

DROP_KEY = 23
NAP_S = 0.02  # a wait is made of naps, so that closing the camera ends it


class RoadCamera(Closing):
    """Frames of a `sim://road` address.

    Live, frame k comes k / fps seconds after the first one; who asks too late, or renders too
    slowly, gets the next that is due, and the indices between are missing, as with any camera.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._faults = parse_road(url)
        self.name = url if name is None else name
        self.live = self._faults.realtime
        self.fps = self._settings.fps
        self._clock_ns, self._sleep = clock_ns, sleep
        self._road = Road(self._settings)
        resize = self._faults.resize
        self._resized = resize and Road(
            replace(self._settings, width=resize.width, height=resize.height)
        )
        self._next = 0
        self._start_ns: int | None = None  # when frame 0 came
        self._closed = False

    def close(self) -> None:
        """End the stream, and any wait for a frame, from any thread."""
        self._closed = True

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        index = self._first_not_lost(self._due())
        t_s = index / self.fps
        if self._closed or self._is_over(index):
            raise StopIteration
        if self._is_dead(index):
            self._wait_for(t_s)
            raise OSError(f"{self.name}: the camera is gone (die_at={self._faults.die_at_s:g})")
        image = self.truth(index).image
        self._wait_for(t_s)
        if self._closed:
            raise StopIteration
        self._next = index + 1
        now_ns = self._clock_ns()
        if self._start_ns is None:
            self._start_ns = now_ns - round(1e9 * t_s)
        return Frame(self.name, index, now_ns, image)

    def truth(self, index: int) -> View:
        """What the frame with this index shows."""
        t_s, faults = index / self.fps, self._faults
        if faults.freeze is not None and t_s in faults.freeze:
            t_s = faults.freeze.at_s
        resized = faults.resize is not None and t_s >= faults.resize.at_s
        road = self._resized if resized and self._resized else self._road
        return road.view(t_s)

    def _due(self) -> int:
        """The next frame, or live the first that is not in the past."""
        if not self.live or self._start_ns is None:
            return self._next
        elapsed_s = (self._clock_ns() - self._start_ns) / 1e9
        return max(self._next, int(np.ceil(elapsed_s * self.fps - 1e-6)))

    def _first_not_lost(self, index: int) -> int:
        """Past the frames that fall into a stall or are dropped."""
        stall, fps = self._faults.stall, self.fps
        while not (self._is_over(index) or self._is_dead(index)):
            if stall is not None and index / fps in stall:
                index = int(np.ceil((stall.at_s + stall.for_s) * fps))
            elif self._is_dropped(index):
                index += 1
            else:
                break
        return index

    def _is_dropped(self, index: int) -> bool:
        share = self._faults.drop
        return share > 0 and bool(dice(self._settings.seed, DROP_KEY, index).random() < share)

    def _is_over(self, index: int) -> bool:
        return self._faults.frames is not None and index >= self._faults.frames

    def _is_dead(self, index: int) -> bool:
        return self._faults.die_at_s is not None and index / self.fps >= self._faults.die_at_s

    def _wait_for(self, t_s: float) -> None:
        """Live, until that time of the stream; otherwise only while the camera stalls."""
        if self.live:
            if self._start_ns is not None:
                self._nap_until(self._start_ns + round(1e9 * t_s))
            return
        stall = self._faults.stall
        if stall is not None and self._next / self.fps < stall.at_s + stall.for_s <= t_s:
            self._nap_until(self._clock_ns() + round(1e9 * stall.for_s))

    def _nap_until(self, due_ns: int) -> None:
        while not self._closed and (left_ns := due_ns - self._clock_ns()) > 0:
            self._sleep(min(left_ns / 1e9, NAP_S))
