"""When a camera that failed is tried again."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Waits that double from `first_s` to `most_s` seconds, each longer or shorter by chance.

    By chance, because many boards that lost one switch must not all knock at the same moment.
    """

    most_failures: float = math.inf  # in a row; 0: the first failure is for good
    first_s: float = 0.25
    most_s: float = 1.0
    jitter: float = 0.25  # share of the wait
    # An attempt that says nothing for so long may yet succeed, but another is made beside it.
    another_after_s: float = 2.0
    # A read that hangs keeps its thread: beyond so many, no new one until an old one returns.
    most_hanging: int = 4
    # Else a camera that never gave a frame is not tried again: its address may be wrong.
    from_start: bool = False

    def wait_s(self, failures: int, chance: float) -> float:
        """After that many failures in a row, at least one; `chance` is from 0 to 1."""
        wait = min(self.first_s * 2.0 ** min(failures - 1, 30), self.most_s)
        return wait * (1 + self.jitter * (2 * chance - 1))
