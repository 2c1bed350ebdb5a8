"""A verdict knows noise: how often it is wrong, on simulated machines that are never quiet."""

from collections import Counter

import numpy as np
import pytest

from stopline.devices.latency.comparison import (
    Verdict,
    block_length,
    compare_pairs,
    compare_runs,
    trimmed_mean,
)
from tests.devices.latency.series import alike, bursts, in_turn

REPEATS = 20


def verdicts(likeness: float, slower: float, n: int = 240) -> Counter[Verdict]:
    rng = np.random.default_rng(round(100 * likeness))
    return Counter(
        compare_pairs(*map(list, in_turn(rng, n, likeness, slower))).verdict for _ in range(REPEATS)
    )


@pytest.mark.parametrize("likeness", [0.0, 0.9])
def test_the_same_thing_twice_cannot_be_told_apart(likeness: float) -> None:
    assert verdicts(likeness, 0.0)[Verdict.UNSURE] >= 0.95 * REPEATS


@pytest.mark.parametrize("likeness", [0.5, 0.9])
def test_three_percent_are_seen_where_the_machine_moves_by_forty(likeness: float) -> None:
    assert verdicts(likeness, 0.03, 600)[Verdict.SLOWER] >= 0.95 * REPEATS


def test_faster_is_slower_the_other_way_round() -> None:
    a, b = in_turn(np.random.default_rng(0), 500, 0.5, 0.05)
    one, other = compare_pairs(list(a), list(b)), compare_pairs(list(b), list(a))
    assert (one.verdict, other.verdict) == (Verdict.SLOWER, Verdict.FASTER)
    assert one.ratio is not None
    assert other.ratio is not None
    assert one.ratio * other.ratio == pytest.approx(1)


def test_less_than_one_percent_is_no_difference_however_sure() -> None:
    a = np.random.default_rng(0).normal(27, 0.01, 400)
    found = compare_pairs(list(a), list(a * 1.006))
    assert found.p_value is not None
    assert found.p_value < 0.01
    assert found.verdict is Verdict.UNSURE


def test_two_runs_that_only_drift_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(5)
    found = Counter(
        compare_runs(
            list(27 * np.exp(alike(rng, 60, 0.8, 0.02) + bursts(rng, 60))),
            list(27 * np.exp(alike(rng, 60, 0.8, 0.02) + bursts(rng, 60))),
        ).verdict
        for _ in range(REPEATS)
    )
    assert found[Verdict.UNSURE] >= 0.95 * REPEATS


def test_two_quiet_runs_show_three_percent() -> None:
    rng = np.random.default_rng(6)
    found = Counter(
        compare_runs(
            list(27 * np.exp(alike(rng, 60, 0.5, 0.005))),
            list(27.81 * np.exp(alike(rng, 60, 0.5, 0.005))),
        ).verdict
        for _ in range(REPEATS)
    )
    assert found[Verdict.SLOWER] >= 0.95 * REPEATS


@pytest.mark.parametrize("compare", [compare_pairs, compare_runs])
def test_of_too_few_windows_nothing_is_told(compare: type) -> None:
    for n in (0, 1, 5):
        found = compare([27.0] * n, [54.0] * n)
        assert found.verdict is Verdict.UNSURE
        assert found.ratio is None
        assert "measure longer" in found.why


def test_one_wild_window_decides_nothing() -> None:
    a = list(np.random.default_rng(0).normal(27, 0.1, 100))
    assert compare_pairs(a, [*a[:-1], 2700.0]).verdict is Verdict.UNSURE


def test_blocks_are_as_long_as_neighbours_are_alike() -> None:
    rng = np.random.default_rng(0)
    assert block_length(rng.normal(0, 1, 400)) == 7
    assert block_length(alike(rng, 400, 0.95, 1.0)) > 20
    assert block_length(np.ones(400)) == 7


def test_a_trimmed_mean_is_of_the_middle_fifth() -> None:
    assert trimmed_mean(np.array([-9.0, 0, 1, 1, 2, 4, 5, 5, 5, 1000])) == pytest.approx(3)
