"""Faster, slower or cannot tell: two series of times, and what their noise allows to say.

Neighbours in time are alike, because whatever else the machine does lasts for longer than one run,
so whole blocks of them change sides ("The Jackknife and the Bootstrap for General Stationary
Observations", Künsch 1989; permutation of blocks in the same way). Runs of A and B that were
measured in turn share what happened to the machine: then it is the pairs that are tested, and a few
percent show where each series alone moves by tens.

A difference of less than `LEAST` is none: two sessions of one graph already differ by a percent,
for where their memory happens to lie (docs/profile.md).
"""

import math
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

CHANCE = 0.01  # of a verdict where there is no difference: of 20 repeats 19 hold
DRAWS = 2000
TRIMMED = 0.4  # of the values on either side: where others run too, half of them are far off
FEWEST_BLOCKS = 8  # with fewer, no arrangement is as rare as CHANCE
LEAST = 0.01

Values: TypeAlias = NDArray[np.float64]


class Verdict(str, Enum):
    """Of B against A."""

    FASTER = "faster"
    SLOWER = "slower"
    UNSURE = "cannot tell"


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`ratio` is the time of B over that of A; None where there are too few values."""

    verdict: Verdict
    ratio: float | None
    interval: tuple[float, float] | None  # 99 %
    p_value: float | None
    values: int  # pairs, or those of the series that has fewer
    block: int  # of values that were kept together
    paired: bool
    least: float = LEAST  # the ratio must be further from 1 than that
    why: str | None = None  # nothing can be told


class _Tested(NamedTuple):
    centre: float  # log ratio
    low: float
    high: float
    p_value: float


def compare_pairs(a_ms: Sequence[float], b_ms: Sequence[float]) -> Comparison:
    """Of times that were measured in turn, a_ms[i] beside b_ms[i]."""
    logs = np.log(np.asarray(b_ms, np.float64)) - np.log(np.asarray(a_ms, np.float64))
    block = block_length(logs)
    if len(logs) < FEWEST_BLOCKS * block:
        return _too_few(len(logs), block, paired=True)
    rng = np.random.default_rng(0)
    centre = float(trimmed_mean(logs))
    drawn = trimmed_mean(logs[_circular(rng, len(logs), block)])
    signs = rng.choice((-1.0, 1.0), (DRAWS, math.ceil(len(logs) / block)))
    ranked = np.sign(logs) * _ranks(np.abs(logs))  # Wilcoxon's: one wild pair is one pair
    flipped = np.repeat(signs, block, axis=1)[:, : len(logs)] @ ranked
    chance = _share_as_far(flipped, float(ranked.sum()))
    low, high = _around(drawn)
    return _judged(_Tested(centre, low, high, chance), len(logs), block, paired=True)


def compare_runs(a_ms: Sequence[float], b_ms: Sequence[float]) -> Comparison:
    """Of two runs at different times, a value for each of their sessions or windows.

    What drifts within a run counts as noise; what changed between them is in neither.
    """
    a, b = np.log(np.asarray(a_ms, np.float64)), np.log(np.asarray(b_ms, np.float64))
    fewest = min(len(a), len(b))
    block = max((block_length(one) for one in (a, b)), default=1)
    if fewest < FEWEST_BLOCKS * block:
        return _too_few(fewest, block, paired=False)
    rng = np.random.default_rng(0)
    centre = float(trimmed_mean(b) - trimmed_mean(a))
    drawn = trimmed_mean(b[_circular(rng, len(b), block)]) - trimmed_mean(
        a[_circular(rng, len(a), block)]
    )
    of_a, of_b = len(a) // block, len(b) // block
    pooled = _ranks(np.concatenate((a[: of_a * block], b[: of_b * block])))
    sums = pooled.reshape(-1, block).sum(axis=1)
    order = np.argsort(rng.random((DRAWS, len(sums))), axis=1)
    middle = sums.mean() * of_a
    drawn_sums = sums[order][:, :of_a].sum(axis=1) - middle
    chance = _share_as_far(drawn_sums, float(sums[:of_a].sum() - middle))
    low, high = _around(drawn)
    return _judged(_Tested(centre, low, high, chance), fewest, block, paired=False)


def block_length(values: Values) -> int:
    """How many neighbours to keep together: as far as they are alike, and at least n^(1/3)."""
    n = len(values)
    if n < 2:
        return 1
    least = int(float(n) ** (1 / 3))
    centred = values - values.mean()
    power = float(centred @ centred)
    if power == 0:
        return least
    most = max(least, n // FEWEST_BLOCKS)
    alike = 2 / math.sqrt(n)
    for lag in range(1, most + 1):
        if float(centred[:-lag] @ centred[lag:]) / power < alike:
            return min(most, max(least, 2 * lag - 1))
    return most


def trimmed_mean(values: Values) -> Values:
    """Over the last axis, without the lowest and the highest two fifths."""
    n = values.shape[-1]
    cut = int(n * TRIMMED)
    mean: Values = np.sort(values, axis=-1)[..., cut : n - cut].mean(axis=-1)
    return mean


def _circular(rng: np.random.Generator, n: int, block: int) -> NDArray[np.intp]:
    """(DRAWS, n) indices: blocks from anywhere, the end joined to the start."""
    starts = rng.integers(0, n, (DRAWS, math.ceil(n / block), 1))
    drawn: NDArray[np.intp] = ((starts + np.arange(block)) % n).reshape(DRAWS, -1)[:, :n]
    return drawn


def _ranks(values: Values) -> Values:
    """(n,) from 1 on; equal values share theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Values = (last - (counts - 1) / 2)[group]
    return shared


def _share_as_far(chances: Values, found: float) -> float:
    """The arrangement that was measured is one of them."""
    return float((1 + np.count_nonzero(np.abs(chances) >= abs(found))) / (1 + len(chances)))


def _around(drawn: Values) -> tuple[float, float]:
    low, high = np.percentile(drawn, (50 * CHANCE, 100 - 50 * CHANCE))
    return float(low), float(high)


def _judged(tested: _Tested, values: int, block: int, *, paired: bool) -> Comparison:
    verdict = Verdict.UNSURE
    if tested.p_value < CHANCE and tested.low > math.log1p(LEAST):
        verdict = Verdict.SLOWER
    elif tested.p_value < CHANCE and tested.high < -math.log1p(LEAST):
        verdict = Verdict.FASTER
    return Comparison(
        verdict=verdict,
        ratio=math.exp(tested.centre),
        interval=(math.exp(tested.low), math.exp(tested.high)),
        p_value=tested.p_value,
        values=values,
        block=block,
        paired=paired,
    )


def _too_few(values: int, block: int, *, paired: bool) -> Comparison:
    return Comparison(
        verdict=Verdict.UNSURE,
        ratio=None,
        interval=None,
        p_value=None,
        values=values,
        block=block,
        paired=paired,
        why=f"{values} values in blocks of {block}, wanted {FEWEST_BLOCKS}: measure longer",
    )
