"""When a frame was captured, where its source has a clock of its own.

A frame that waited in a network, a server or a decoder is grabbed as if it were new; only its own
time stamp (PTS) tells. What all frames of a source have in common, such as the least delay of its
network, no stamp tells: ages are at least as great as they are said to be.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

# From a frame's own stamp in milliseconds and the moment of its grab to that of its capture, both
# of `time.monotonic_ns`. None: it is of a backlog, older than anyone can say.
CaptureTime: TypeAlias = Callable[[float, int], int | None]

MOST_NS = 10_000_000_000  # older is no frame of a camera that is still connected: a wrong clock
# How far two clocks may run apart. Crystals keep within 1e-4; every 1e-4 more hides 0.1 ms a second
# of a delay that grows.
DRIFT = 5e-4
SETTLED_STEPS = 5  # of frames that come no faster than they were captured
SETTLED_SHARE = 0.02  # faster by less than that is chance
SETTLE_WITHIN_NS = 5_000_000_000  # whoever still comes faster then has no clock to believe
STANDING_FRAMES = 3  # with one stamp: the source has none


def by_arrival(stamp_ms: float, grabbed_ns: int) -> int:
    """Of a source without a clock: the moment of the grab."""
    return grabbed_ns


def by_kernel(stamp_ms: float, grabbed_ns: int) -> int:
    """Of a V4L2 device, whose kernel stamps each buffer with the monotonic clock itself.

    Some drivers stamp with another clock, or with nothing: then it is the moment of the grab.
    """
    if not math.isfinite(stamp_ms):
        return grabbed_ns
    age_ns = grabbed_ns - round(stamp_ms * 1e6)
    return grabbed_ns - age_ns if 0 <= age_ns <= MOST_NS else grabbed_ns


class _Seen(NamedTuple):
    stamp_ns: int
    grabbed_ns: int
    age_ns: int

    @property
    def offset_ns(self) -> int:
        """What lies between the source's clock and ours, and the frame's delay."""
        return self.grabbed_ns - self.stamp_ns


class StreamClock:
    """Of a stream, whose stamps begin anywhere: the frame that came fastest is taken to be new.

    One for each connection. `offset` is the least that lay between stamp and grab, allowed to rise
    by `DRIFT` so that it follows a camera whose clock is slow; what a frame has more is its age.
    A least over a sliding window would call a delay normal that lasts for longer than the window.

    What FFmpeg read while it looked into the stream (a second of frames is usual) comes first and
    at once. Each such frame lowers the offset, so its age cannot be told yet, and it has none.
    """

    def __init__(self) -> None:
        self._offset_ns = 0
        self._seen: deque[_Seen] = deque(maxlen=SETTLED_STEPS + 1)
        self._first_ns: int | None = None  # grabbed
        self._settled = False
        self._standing = 0
        self._clockless = False

    def __call__(self, stamp_ms: float, grabbed_ns: int) -> int | None:
        """Never in the future, never before a frame that was given before."""
        if self._first_ns is None:
            self._first_ns = grabbed_ns
        if self._clockless or not math.isfinite(stamp_ms):
            return grabbed_ns
        stamp_ns = round(stamp_ms * 1e6)
        age_ns = self._age_ns(stamp_ns, grabbed_ns)
        if self._seen:
            before = self._seen[-1]
            age_ns = min(age_ns, grabbed_ns - before.grabbed_ns + before.age_ns)
        self._seen.append(_Seen(stamp_ns, grabbed_ns, age_ns))
        if not self._settled:
            self._settle(grabbed_ns)
        return grabbed_ns - age_ns if self._settled else None

    def _age_ns(self, stamp_ns: int, grabbed_ns: int) -> int:
        offset_ns = grabbed_ns - stamp_ns
        if not self._seen:
            self._offset_ns = offset_ns
            return 0
        before = self._seen[-1]
        if stamp_ns > before.stamp_ns:
            drift_ns = round(DRIFT * (grabbed_ns - before.grabbed_ns))
            self._offset_ns = min(offset_ns, self._offset_ns + drift_ns)
            self._standing = 0
        else:  # its clock was set back, or stands: the delay is taken to be what it was
            self._offset_ns = offset_ns - before.age_ns
            self._standing += 1
        return offset_ns - self._offset_ns

    def _settle(self, grabbed_ns: int) -> None:
        """Note that frames no longer come faster than they were captured, or have no stamps."""
        assert self._first_ns is not None
        too_long = grabbed_ns - self._first_ns > SETTLE_WITHIN_NS
        self._clockless = self._standing >= STANDING_FRAMES or too_long
        oldest, newest = self._seen[0], self._seen[-1]
        captured_ns = newest.stamp_ns - oldest.stamp_ns
        faster_ns = oldest.offset_ns - newest.offset_ns
        steady = captured_ns > 0 and faster_ns <= SETTLED_SHARE * captured_ns
        full = len(self._seen) == self._seen.maxlen
        self._settled = self._clockless or (full and steady)
