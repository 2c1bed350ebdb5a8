"""A thread that does things in order, in what time detection leaves."""

import os
import threading
from collections.abc import Callable
from queue import Queue

from stopline.runtime.closing import Closing

MOST_WAITING = 256
LESS_URGENT = 10  # nicer than the rest: detection wins where cores are few

Task = Callable[[], None]


class Worker(Closing):
    """`do(task)` soon. What a task raises, the next `check` does."""

    def __init__(self, name: str, close_within_s: float) -> None:
        self._tasks: Queue[tuple[Task, bool] | None] = Queue(MOST_WAITING)
        self._close_within_s = close_within_s
        self._hurry = threading.Event()
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(self, task: Task) -> None:
        """Wait only if very many things are waiting."""
        self._tasks.put((task, True))

    def do_if_time(self, task: Task) -> None:
        """The same, but not once closing takes too long."""
        self._tasks.put((task, False))

    def check(self) -> None:
        """Raise what went wrong since, the first of it."""
        if self._errors:
            error, self._errors = self._errors[0], []
            raise error

    def close(self) -> None:
        """Do what waits; after some seconds only what must be done."""
        self._tasks.put(None)
        self._thread.join(self._close_within_s)
        self._hurry.set()
        self._thread.join(self._close_within_s)
        self.check()

    def _work(self) -> None:
        own = os.PRIO_PROCESS, threading.get_native_id()  # of this thread alone, on Linux
        os.setpriority(*own, min(19, os.getpriority(*own) + LESS_URGENT))
        while (waiting := self._tasks.get()) is not None:
            task, needed = waiting
            if needed or not self._hurry.is_set():
                self._try(task)

    def _try(self, task: Task) -> None:
        try:
            task()
        except Exception as error:  # not answered here, but raised by `check`
            self._errors.append(error)
