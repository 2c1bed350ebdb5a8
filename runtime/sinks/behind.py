"""A sink in a thread of its own, behind a bounded queue: however slow it is, nobody waits."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.events import Event, SinkTrouble, utc_at
from stopline.runtime.frame import Result
from stopline.runtime.sinks.sink import Sink

MOST_WAITING = 256  # results without their images take a kilobyte or two each
MOST_IMAGES = 16  # half a second of one camera; at 1080p 100 MB
SETTLED_NS = 1_000_000_000  # without a loss, before a sink is said to work again
CLOSE_WITHIN_S = 3.0


@dataclass(slots=True)
class Counters:
    """Of results and events: together with those that still wait, all that were given."""

    written: int = 0
    lost: int = 0  # the sink raised OSError for them
    dropped_by_queue: int = 0  # the sink was too slow for them

    @property
    def not_written(self) -> int:
        """For whatever reason."""
        return self.lost + self.dropped_by_queue


class Behind(Closing):
    """Never blocks. What does not fit is dropped and counted, and whoever listens is told.

    First go results that a newer one of their camera has superseded, the oldest first, then
    other results, and only where nothing else waits events. The next result of the camera that
    arrives counts the lost ones as dropped: what a sink is given adds up to what was sent.

    An OSError of the sink loses one result, and the next is tried. Anything else is a mistake in
    its code: it is kept, and the next call raises it. So is BrokenPipeError: a reader that went
    away does not come back.
    """

    def __init__(
        self,
        sink: Sink,
        most_waiting: int | None = None,
        clock: Clock = time.monotonic_ns,
        on_trouble: Callable[[SinkTrouble], None] = lambda event: None,
    ) -> None:
        """Start the thread. `on_trouble` is called in it or in the caller's, and must be quick."""
        self.name = sink.name
        self.wants_images = sink.wants_images
        self.counters = Counters()
        self._sink = sink
        self._most_waiting = most_waiting or (MOST_IMAGES if sink.wants_images else MOST_WAITING)
        self._clock = clock
        self._on_trouble = on_trouble
        self._waiting: deque[Result | Event] = deque()
        self._waiting_of: Counter[str] = Counter()  # results, by camera
        self._owed: dict[str, tuple[int, int]] = {}  # by camera, dropped and missed to be told yet
        self._changed = threading.Condition()
        self._closing = False
        self._in_hand = False
        self._abandoned = False
        self._trouble_of: str | None = None  # the error that was told, until it is over
        self._last_loss_ns = 0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    def write(self, result: Result) -> None:
        """Let it be written soon; raises only what is wrong with the sink's code."""
        self._put(result if self.wants_images else result.without_image())

    def tell(self, event: Event) -> None:
        """Let it be told soon, behind the results before it."""
        self._put(event)

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Write what waits and close the sink; a sink that is not done in time is left behind.

        What it had lost by then is told, if it was in trouble. Raises what closing it raised.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(within_s)
        if self._thread.is_alive():
            self._abandon(within_s)
        elif self._trouble_of is not None:
            self._on_trouble(self._trouble(self._trouble_of))
        self._raise_kept()

    @property
    def hangs(self) -> bool:
        """Whether the sink was left behind in a call that does not return."""
        return self._abandoned and self._thread.is_alive()

    def _put(self, item: Result | Event) -> None:
        with self._changed:
            self._raise_kept()
            if self._closing:
                self.counters.dropped_by_queue += 1
                return
            self._waiting.append(item)
            if isinstance(item, Result):
                self._waiting_of[item.camera] += 1
            full = len(self._waiting) > self._most_waiting
            trouble = self._drop() if full else None
            self._changed.notify()
        if trouble is not None:
            self._on_trouble(trouble)

    def _raise_kept(self) -> None:
        if self._error is not None:
            self._closing = True
            error, self._error = self._error, None
            raise error

    def _drop(self) -> SinkTrouble | None:
        """Of what waits the one that is missed the least."""
        index = self._least_missed()
        item = self._waiting[index]
        del self._waiting[index]
        if isinstance(item, Result):
            self._waiting_of[item.camera] -= 1
        self.counters.dropped_by_queue += 1
        return self._note_loss(item, f"too slow: {self._most_waiting} results wait, others dropped")

    def _least_missed(self) -> int:
        for index, item in enumerate(self._waiting):
            if isinstance(item, Result) and self._waiting_of[item.camera] > 1:
                return index
        results = (index for index, item in enumerate(self._waiting) if isinstance(item, Result))
        return next(results, 0)

    def _note_loss(self, item: Result | Event, error: str) -> SinkTrouble | None:
        """What is to be told of it: of many losses the first."""
        if isinstance(item, Result):
            dropped, missed = self._owed.get(item.camera, (0, 0))
            dropped += item.dropped + (item.frame is not None)
            self._owed[item.camera] = dropped, missed + item.missed
        self._last_loss_ns = self._clock()
        if self._trouble_of is not None:
            return None
        self._trouble_of = error
        return self._trouble(error)

    def _trouble(self, error: str | None) -> SinkTrouble:
        lost = self.counters.not_written
        now_ns = self._clock()
        return SinkTrouble(
            at_ns=now_ns, utc=utc_at(now_ns, now_ns), sink=self.name, error=error, lost=lost
        )

    def _work(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._pass_on(item)
            self._sink.close()
        except Exception as error:  # kept, and raised where the run sees it
            self._error = error

    def _next(self) -> Result | Event | None:
        """Wait for it; None when closed and nothing waits."""
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self._changed.wait()
            item = self._waiting.popleft()
            self._in_hand = True
            if not isinstance(item, Result):
                return item
            self._waiting_of[item.camera] -= 1
            dropped, missed = self._owed.pop(item.camera, (0, 0))
        if dropped == 0:
            return item
        return replace(item, dropped=item.dropped + dropped, missed=item.missed + missed)

    def _pass_on(self, item: Result | Event) -> None:
        try:
            if isinstance(item, Result):
                self._sink.write(item)
            else:
                self._sink.tell(item)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._after(item, str(error))
        else:
            self._after(item, None)

    def _after(self, item: Result | Event, error: str | None) -> None:
        with self._changed:
            if self._abandoned:
                return  # counted when it was
            self._in_hand = False
            if error is None:
                self.counters.written += 1
                trouble = self._recovered()
            else:
                self.counters.lost += 1
                trouble = self._note_loss(item, error)
        if trouble is not None:
            self._on_trouble(trouble)

    def _recovered(self) -> SinkTrouble | None:
        if self._trouble_of is None or self._clock() - self._last_loss_ns < SETTLED_NS:
            return None
        self._trouble_of = None
        return self._trouble(None)

    def _abandon(self, within_s: float) -> None:
        with self._changed:
            self._abandoned = True
            self.counters.lost += self._in_hand
            self.counters.dropped_by_queue += len(self._waiting)
            self._waiting.clear()
            trouble = self._trouble(f"did not finish within {within_s:g} s, and was left behind")
        self._on_trouble(trouble)
