"""Percentiles that n supports, and intervals that hold what they promise."""

import numpy as np
import pytest

from stopline.devices.latency.figures import figures, inflation, supports, t_quantile
from tests.devices.latency.series import alike

# Of a normal distribution with mean 10 and spread 1.
TRUE = {"p50_ms": 10.0, "p90_ms": 11.2816, "p99_ms": 12.3263, "mean_ms": 10.0}


def test_of_nothing_nothing_is_known() -> None:
    of = figures([])
    assert (of.n, of.p50_ms, of.mean_ms, of.intervals) == (0, None, None, {})


def test_one_time_is_its_own_mean_and_no_percentile() -> None:
    of = figures([7.0])
    assert (of.n, of.p50_ms, of.mean_ms) == (1, None, 7.0)


@pytest.mark.parametrize(
    ("n", "known"),
    [(5, []), (9, ["p50_ms"]), (90, ["p50_ms", "p90_ms"]), (900, ["p50_ms", "p90_ms", "p99_ms"])],
)
def test_a_percentile_that_n_cannot_bound_is_none(n: int, known: list[str]) -> None:
    of = figures(list(np.random.default_rng(3).permutation(n) + 1.0))
    assert [
        name for name in ("p50_ms", "p90_ms", "p99_ms", "p999_ms") if getattr(of, name)
    ] == known


def test_how_many_a_percentile_needs() -> None:
    assert not supports(35, 0.9)
    assert supports(36, 0.9)
    assert not supports(366, 0.99)
    assert supports(368, 0.99)
    assert not supports(3687, 0.999)
    assert supports(3688, 0.999)


def test_a_percentile_is_a_time_that_was_measured() -> None:
    of = figures(list(np.random.default_rng(0).permutation(100) + 1.0))
    assert (of.p50_ms, of.p90_ms) == (50.0, 90.0)
    assert of.intervals["p50_ms"][0] < 50 < of.intervals["p50_ms"][1]


@pytest.mark.parametrize("likeness", [0.0, 0.5])
def test_95_of_100_intervals_hold_the_truth(likeness: float) -> None:
    rng = np.random.default_rng(1)
    held = {name: [0, 0] for name in TRUE}
    for _ in range(200):
        of = figures(list(10 + alike(rng, 1000, likeness, 1.0)))
        for name, true in TRUE.items():
            if name in of.intervals:
                low, high = of.intervals[name]
                held[name][0] += low <= true <= high
                held[name][1] += 1
    for name, (right, known) in held.items():
        assert right / known > 0.9, name


def test_neighbours_that_are_alike_are_worth_fewer() -> None:
    rng = np.random.default_rng(2)
    assert inflation(rng.normal(0, 1, 2000)) < 2
    assert inflation(alike(rng, 2000, 0.9, 1.0)) > 5


def test_bounds_of_alike_times_are_wider() -> None:
    rng = np.random.default_rng(2)
    series = alike(rng, 1000, 0.9, 1.0) + 10
    low, high = figures(list(series)).intervals["p50_ms"]
    shuffled_low, shuffled_high = figures(list(rng.permutation(series))).intervals["p50_ms"]
    assert high - low > 1.5 * (shuffled_high - shuffled_low)


def test_students_quantile_is_as_in_the_tables() -> None:
    assert t_quantile(0.975, 10) == pytest.approx(2.228, abs=0.003)
    assert t_quantile(0.975, 1e6) == pytest.approx(1.960, abs=0.001)
