"""Growing is what comes closer; jitter, and what only drives along, is not growth."""

import numpy as np
import pytest

from stopline.runtime.alerts.growth import Growth, slope_at_least
from stopline.runtime.arrays import Boxes

FPS = 15


def of_height(height: float, y: float = 0.5) -> Boxes:
    return np.array([(0.4, y - height / 2, 0.6, y + height / 2)])


def shown(growth: Growth, heights: list[float], fps: float = FPS) -> list[float | None]:
    """What is said of one object after each frame."""
    said = []
    for nth, height in enumerate(heights):
        growth.see([1], of_height(height), round(nth * 1e9 / fps))
        said.append(growth.at_least(1))
    return said


def approach(contact_s: float, until_s: float, fps: float = FPS) -> list[float]:
    """The heights of what will arrive in so many seconds, half a frame high when 1 s away."""
    return [0.5 / (contact_s - nth / fps) for nth in range(round(until_s * fps))]


def test_nothing_is_known_of_what_was_not_seen_or_seen_for_a_moment() -> None:
    growth = Growth()
    assert growth.at_least(1) is None
    assert shown(growth, [0.1] * 4) == [None] * 4


@pytest.mark.parametrize("fps", [30, 10, 5])
@pytest.mark.parametrize("contact_s", [5, 3])
def test_the_rate_is_one_over_the_time_to_contact(contact_s: float, fps: float) -> None:
    said = shown(Growth(), approach(contact_s, 1.2, fps), fps)[-1]
    assert said is not None
    # In the middle of the window it had half a second more to go.
    assert said == pytest.approx(1 / (contact_s - 1.2 + 0.5), rel=0.2)


@pytest.mark.parametrize("jitter", [0.03, 0.05])
@pytest.mark.parametrize("fps", [30, 10])
def test_jitter_is_not_growth(jitter: float, fps: float) -> None:
    chance = np.random.default_rng(round(1000 * jitter + fps))
    frames = 0
    for _ in range(10):
        heights = 0.1 * np.exp(chance.normal(0, jitter, 300))
        said = shown(Growth(), heights.tolist(), fps)
        frames += sum(rate is not None and rate >= 0.2 for rate in said)
    assert frames <= 0.002 * 3000


def test_jitter_that_lasts_is_not_growth_either() -> None:
    """A detector's error stays the same for some frames; that is harder to tell apart."""
    chance = np.random.default_rng(1)
    error, heights = 0.0, []
    for _ in range(3000):
        error = 0.8 * error + 0.6 * chance.normal(0, 0.05)
        heights.append(0.1 * np.exp(error))
    said = shown(Growth(), heights, 30)
    assert sum(rate is not None and rate >= 0.2 for rate in said) <= 0.01 * 3000


def test_what_was_seen_for_half_a_second_is_not_taken_to_grow_for_its_jitter() -> None:
    """The median of the slopes alone, without its interval, is taken in by one in nine."""
    chance = np.random.default_rng(5)
    taken_in = 0
    for _ in range(200):
        said = shown(Growth(), (0.1 * np.exp(chance.normal(0, 0.05, 8))).tolist())
        taken_in += any(rate is not None and rate >= 0.2 for rate in said)
    assert taken_in <= 0.03 * 200


def test_what_comes_closer_is_seen_through_jitter_within_a_second() -> None:
    chance = np.random.default_rng(2)
    for _ in range(20):
        heights = np.array(approach(3, 1.0)) * np.exp(chance.normal(0, 0.03, FPS))
        said = shown(Growth(), heights.tolist())
        assert any(rate is not None and rate >= 0.2 for rate in said)


def test_one_wild_box_in_five_neither_makes_growth_nor_hides_it() -> None:
    still = [0.3 if nth % 5 == 0 else 0.1 for nth in range(30)]
    assert all(rate is None or rate < 0.1 for rate in shown(Growth(), still))
    coming = [2 * h if nth % 5 == 0 else h for nth, h in enumerate(approach(3, 1.0))]
    said = shown(Growth(), coming)[-1]
    assert said is not None
    assert said >= 0.2


def test_what_goes_away_shrinks() -> None:
    said = shown(Growth(), approach(5, 1.2)[::-1])[-1]
    assert said is not None
    assert said < 0


def test_what_the_frame_cuts_off_cannot_be_measured_and_what_was_known_stands() -> None:
    growth = Growth()
    before = shown(growth, approach(3, 1.2))[-1]
    for nth in range(18, 40):
        growth.see([1], of_height(0.8, y=0.61), round(nth * 1e9 / FPS))  # to the lower edge
    assert growth.at_least(1) == before


def test_objects_that_are_gone_are_forgotten() -> None:
    growth = Growth()
    for track in range(500):
        growth.see([track], of_height(0.1), track * 100_000_000)
    assert len(growth) <= 31  # of the last 3 s


def test_the_bound_is_below_the_slope_and_near_it_without_noise() -> None:
    times = np.arange(10) / 10
    assert slope_at_least(times, 2 * times) == pytest.approx(2)
    noisy = 2 * times + np.random.default_rng(0).normal(0, 0.1, 10)
    assert slope_at_least(times, noisy) < np.polyfit(times, noisy, 1)[0]
