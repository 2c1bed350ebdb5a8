"""How long this thread was ready to run while others had the cores: no cost of a model.

`/proc/…/schedstat`: time on a core, time waiting for one, turns; in nanoseconds
(Documentation/scheduler/sched-stats.rst of Linux).
"""

import os
import threading
from pathlib import Path

PROC = Path("/proc")


class Waiting:
    """`waiting()` → nanoseconds so far of the thread that made it; None where nobody tells."""

    def __init__(self, proc: Path = PROC) -> None:
        self._path = str(proc / f"self/task/{threading.get_native_id()}/schedstat")

    def __call__(self) -> int | None:
        try:
            opened = os.open(self._path, os.O_RDONLY)
        except OSError:
            return None
        try:
            words = os.read(opened, 100).split()
        finally:
            os.close(opened)
        return int(words[1]) if len(words) == 3 else None
