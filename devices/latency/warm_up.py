"""Where in a series of times the start is over: caches filled, clocks up, memory there.

The second half of the series says what is ordinary. The start is over when the series first gets
there and stays for a moment; if that is in the second half only, or if the second half still moves,
it never came to rest. Medians of five are looked at, so that one late frame is no warm-up, and what
comes after the arrival is not, so that other work on the machine is none either.
"""

from collections.abc import Sequence

import numpy as np

from stopline.devices.latency.figures import Times

BATCH = 5
FEWEST = 8 * BATCH
ORDINARY = (5, 95)  # percentiles of the second half
MOST = (20, 80)
ROOM = 0.25  # of their distance, beyond them
STAYS = 3  # batches


def warm_up(times_ms: Sequence[float]) -> int | None:
    """How many times at the start to leave out; None if they never came to rest."""
    if len(times_ms) < FEWEST:
        return None
    count = len(times_ms) // BATCH
    batches = np.median(np.reshape(times_ms[-count * BATCH :], (count, BATCH)), axis=1)
    half = batches[count // 2 :]
    low, high = np.percentile(half, ORDINARY)
    room = ROOM * (high - low)
    inside = (batches >= low - room) & (batches <= high + room)
    stays = np.lib.stride_tricks.sliding_window_view(inside, STAYS).all(axis=1)
    arrived = int(np.argmax(stays)) if stays.any() else count
    if arrived >= count // 2 - 1 or _moves(half):
        return None
    return len(times_ms) % BATCH + arrived * BATCH if arrived else _first_ordinary(times_ms)


def _moves(half: Times) -> bool:
    """Whether most of one part of it lies beside most of the other."""
    before, after = (np.percentile(one, MOST) for one in np.array_split(half, 2))
    return bool(before[1] < after[0] or after[1] < before[0])


def _first_ordinary(times_ms: Sequence[float]) -> int:
    """Past single frames at the very start, if each took longer than what is ordinary later."""
    ordinary = np.percentile(times_ms[len(times_ms) // 2 :], 99)
    return int(np.argmax(np.asarray(times_ms) <= ordinary))
