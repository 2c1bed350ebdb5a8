"""Times as a busy machine makes them: alike from one to the next, with bursts and drift."""

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


def alike(rng: np.random.Generator, n: int, likeness: float, spread: float) -> Series:
    """(n,) an AR(1) process of that standard deviation."""
    noise = rng.normal(0, spread * np.sqrt(1 - likeness**2), n)
    values = np.empty(n)
    values[0] = rng.normal(0, spread)
    for at in range(1, n):
        values[at] = likeness * values[at - 1] + noise[at]
    return values


def bursts(rng: np.random.Generator, n: int) -> Series:
    """(n,) what other programs add, now and then, for up to a dozen windows."""
    values = np.zeros(n)
    for _ in range(rng.poisson(n / 15)):
        start = rng.integers(0, n)
        values[start : start + rng.integers(1, 12)] += rng.exponential(0.4)
    return values


def in_turn(rng: np.random.Generator, n: int, likeness: float, slower: float) -> tuple[Series, ...]:
    """(n,) of A and of B, measured in turn, in random order; most of the noise is shared."""
    shared = alike(rng, 2 * n, likeness, 0.05) + bursts(rng, 2 * n) + 0.05 * np.arange(2 * n) / n
    own = rng.normal(0, 0.02, 2 * n) + rng.exponential(0.03, 2 * n) * (rng.random(2 * n) < 0.1)
    logs, first = shared + own, rng.integers(0, 2, n)
    a, b = logs[2 * np.arange(n) + first], logs[2 * np.arange(n) + 1 - first]
    return 27 * np.exp(a), 27 * np.exp(b + np.log1p(slower))
