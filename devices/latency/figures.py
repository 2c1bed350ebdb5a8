"""Percentiles and means of times that were measured one after the other, and how sure they are.

Neighbours in time are alike: a thousand frames in which the machine was busy twice are not a
thousand independent ones. An interval is therefore of the independent times they are worth, by
means of batches ("Simulation Modeling and Analysis", Law 2014, section 9.5.3).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sinks.tally import percentile

SHARES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "p999_ms": 0.999}
DOUBT = 0.05  # an interval holds the true figure in 95 of 100 cases
FEWEST_BATCHES = 5

Times: TypeAlias = NDArray[np.floating]
Interval: TypeAlias = tuple[float, float]


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of n times. A percentile is None where n is too small to bound it on both sides."""

    n: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    mean_ms: float | None
    intervals: dict[str, Interval]  # 95 %, by the name of the figure


def figures(times_ms: Sequence[float]) -> Figures:
    """In the order in which they were measured."""
    times = np.asarray(times_ms, np.float64)
    ordered = sorted(times_ms)
    values: dict[str, float] = {}
    intervals: dict[str, Interval] = {}
    for name, share in SHARES.items():
        within = _percentile_interval(times, ordered, share)
        if within is not None:
            values[name], intervals[name] = _rounded(percentile(ordered, share)), within
    if len(times) and (around := _mean_interval(times)) is not None:
        intervals["mean_ms"] = around
    mean = _rounded(float(times.mean())) if len(times) else None
    known = {name: values.get(name) for name in SHARES}
    return Figures(n=len(times), mean_ms=mean, intervals=intervals, **known)


def supports(n: float, share: float) -> bool:
    """Whether n independent times lie on both sides of that percentile, almost certainly."""
    return n > 0 and max(share, 1 - share) ** n <= DOUBT / 2


def inflation(values: Times) -> float:
    """How many neighbours are worth one independent value; 1 if they are independent."""
    size = math.isqrt(len(values))
    spread = float(values.var())
    if size < FEWEST_BATCHES or spread == 0:
        return 1.0
    batches = len(values) // size
    means = values[-batches * size :].reshape(batches, size).mean(axis=1)
    return max(1.0, size * float(means.var(ddof=1)) / spread)


def t_quantile(share: float, freedom: float) -> float:
    """Of Student's distribution, by the expansion of Abramowitz & Stegun 26.7.5."""
    z = NormalDist().inv_cdf(share)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _percentile_interval(times: Times, ordered: Sequence[float], share: float) -> Interval | None:
    """From order statistics, at the ranks where Wilson's interval of the share lies."""
    n = len(ordered)
    value = percentile(ordered, share)
    if value is None or not supports(n, share):
        return None
    independent = n / inflation((times <= value).astype(np.float64))
    if not supports(independent, share):
        return None
    low, high = _wilson(share, independent, _z(n))
    first = max(0, math.floor(low * n) - 1)
    last = min(n - 1, math.ceil(high * n) - 1)
    return _rounded(ordered[first]), _rounded(ordered[last])


def _wilson(share: float, n: float, z: float) -> Interval:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - reach, middle + reach


def _z(n: int) -> float:
    """Standard errors from the middle to an end, the error itself being known from batches."""
    return t_quantile(1 - DOUBT / 2, max(FEWEST_BATCHES, math.isqrt(n)) - 1)


def _mean_interval(times: Times) -> Interval | None:
    if math.isqrt(len(times)) < FEWEST_BATCHES:
        return None
    variance = float(times.var(ddof=1)) * inflation(times) / len(times)
    reach = _z(len(times)) * math.sqrt(variance)
    mean = float(times.mean())
    return _rounded(mean - reach), _rounded(mean + reach)


def _rounded(ms: float | None) -> float:
    """To the microsecond: what lies below it nobody measured."""
    assert ms is not None
    return round(ms, 3)
