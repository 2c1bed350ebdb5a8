"""Warm-up is detected, not guessed."""

import numpy as np
import pytest

from stopline.devices.latency.warm_up import warm_up

N = 400


def steady(seed: int = 0, n: int = N) -> list[float]:
    return list(27 * np.exp(np.random.default_rng(seed).normal(0, 0.03, n)))


def test_of_too_few_nothing_can_be_said() -> None:
    assert warm_up([]) is None
    assert warm_up([27.0] * 39) is None


def test_a_steady_series_has_none() -> None:
    assert warm_up([27.0] * 100) == 0
    assert [warm_up(steady(seed)) for seed in range(30)].count(0) >= 27


@pytest.mark.parametrize("length", [10, 40, 100])
def test_a_slow_start_is_left_out(length: int) -> None:
    times = [ms * (1.5 if at < length else 1) for at, ms in enumerate(steady())]
    found = warm_up(times)
    assert found is not None
    assert length <= found <= length + 15


def test_a_single_slow_first_frame_is_left_out() -> None:
    assert warm_up([160.0, *steady()]) == 1


def test_clocks_that_go_up_slowly_are_a_warm_up_too() -> None:
    times = np.array(steady()) * (1 + 0.8 * np.exp(-np.arange(N) / 20))
    found = warm_up(list(times))
    assert found is not None
    assert 30 <= found <= 130


def test_a_series_that_never_comes_to_rest_is_said_to_be_so() -> None:
    drifting = np.array(steady()) * (1 + 0.5 * np.arange(N) / N)
    assert warm_up(list(drifting)) is None


def test_other_work_in_the_middle_is_no_warm_up() -> None:
    times = [ms * (1.4 if 80 <= at < 120 else 1) for at, ms in enumerate(steady())]
    assert warm_up(times) == 0
