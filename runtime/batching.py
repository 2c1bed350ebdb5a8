"""How many images to detect in at once: as many as make the answers younger, not as fit.

On a GPU four images may take as long as one; on a CPU they take four times as long, and a batch
would hold the first of them for the sake of the last. Which it is, is measured as the run goes.
"""

from collections import deque
from dataclasses import dataclass, field

# What else ran on the machine can only have made a run longer, so the least of the last few counts.
KEPT = 8
# The first run of a size prepares memory, and on a GPU records the work: it is no measure.
TRIES = 2
# A size that is not in use is tried again, as clocks and load change: a smaller one, which holds
# nobody back, after so many times what it takes; a larger one hardly ever, as it does.
AGAIN_SMALLER = 200
AGAIN_LARGER = 1000


@dataclass(slots=True)
class _Size:
    """What is known of one number of images."""

    runs: int = 0
    last_ns: int = 0  # when it was last run
    took_ns: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def known(self) -> bool:
        return self.runs >= TRIES

    @property
    def cost_ns(self) -> int:
        return min(self.took_ns)


class Batching:
    """`size` says how many to run, `ran` is told what that took."""

    def __init__(self, most: int) -> None:
        """`most` is what one run of the graph takes."""
        self.most = most
        self._sizes = {size: _Size() for size in range(1, most + 1)}

    def size(self, ready: int, now_ns: int, left_ns: float) -> int:
        """Of `ready` images, how many to detect in together.

        No more than can be done in `left_ns`, in which the oldest must be; but one always.
        """
        most = min(ready, self.most)
        if most <= 1:
            return most
        fitting = [1, *(n for n in range(2, most + 1) if self._surely_ns(n) <= left_ns)]
        known = [n for n in fitting if self._sizes[n].known] or [1]
        best = min(known, key=lambda n: expected_age(self._cost_ns(n), n, ready))
        for n in _ladder(fitting[-1]):
            if n in fitting and self._is_due(n, best, now_ns):
                return n
            if n > best:  # what does not pay with so many, will not with more
                break
        return best

    def ran(self, size: int, took_ns: int, now_ns: int) -> None:
        """Learn from one run."""
        if self.most == 1:
            return
        one = self._sizes[size]
        one.runs, one.last_ns = one.runs + 1, now_ns
        if one.known:
            one.took_ns.append(took_ns)

    def _is_due(self, size: int, best: int, now_ns: int) -> bool:
        """To be tried, for the first time or again."""
        one = self._sizes[size]
        if not one.known:
            return True
        times = AGAIN_LARGER if size > best else AGAIN_SMALLER
        return size != best and now_ns - one.last_ns > times * one.cost_ns

    def _cost_ns(self, size: int) -> float:
        return self._sizes[size].cost_ns if self._sizes[size].known else 0

    def _surely_ns(self, size: int) -> float:
        """What so many take at most."""
        one = self._sizes[size]
        return one.cost_ns if one.known else size * self._cost_ns(1)


def expected_age(cost_ns: float, size: int, ready: int) -> float:
    """Mean age of the newest answer about a camera, in runs of `size` for `ready` cameras in turn.

    Beside the wait for the run, which is the same for all: an answer is one run old when it is
    given, and then ages until the camera's next turn, ready / size runs later; half of that in
    the mean.
    """
    return cost_ns * (1 + ready / size / 2)


def _ladder(most: int) -> list[int]:
    """1, 2, 4, … and `most`: what lies between is seldom worth the runs that tell."""
    return sorted({min(2**power, most) for power in range(most.bit_length() + 1)})
