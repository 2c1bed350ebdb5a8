"""Randomness as a function: the same key gives the same draws, whenever it is asked."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def dice(seed: int, *key: int) -> np.random.Generator:
    """A generator of its own for each key; keys may be negative (blocks behind the start)."""
    return np.random.default_rng((seed, *(part & 0xFFFFFFFF for part in key)))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def one_of(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def happens(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)
