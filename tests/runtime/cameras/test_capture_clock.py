"""The moment of capture, told from a source's own stamps, against the truth of made-up journeys."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from stopline.runtime.cameras.capture_clock import (
    MOST_NS,
    SETTLE_WITHIN_NS,
    SETTLED_STEPS,
    STANDING_FRAMES,
    StreamClock,
    by_arrival,
    by_kernel,
)

MS = 1_000_000
PERIOD_NS = 33 * MS
START_NS = 5_000_000 * MS


def captures(frames: int) -> list[int]:
    """When a camera at 30 a second captured so many."""
    return [START_NS + index * PERIOD_NS for index in range(frames)]


def ages_ms(stamps_ms: Iterable[float], grabs_ns: Iterable[int]) -> list[float | None]:
    """How old each frame is said to be at its grab; None where that is not said."""
    clock = StreamClock()
    told = [(grab, clock(stamp, grab)) for stamp, grab in zip(stamps_ms, grabs_ns, strict=True)]
    return [None if captured is None else (grab - captured) / MS for grab, captured in told]


def stamps_of(captured: Iterable[int]) -> list[float]:
    """As the camera's own clock has them, which began at some other time."""
    return [(one - START_NS) / MS for one in captured]


def grabbed(captured: list[int], delays_ms: Iterable[float]) -> list[int]:
    """When they arrive, one after the other, however long each takes."""
    grabs: list[int] = []
    for one, delay in zip(captured, delays_ms, strict=True):
        grabs.append(max(one + round(delay * MS), grabs[-1] if grabs else 0))
    return grabs


def test_a_source_without_a_clock_has_captured_its_frames_when_they_were_grabbed() -> None:
    assert by_arrival(0.0, START_NS) == START_NS


@pytest.mark.parametrize("stamp_ms", [math.nan, math.inf, 0.0, -1.0, START_NS / MS + 1])
def test_a_kernel_stamp_that_cannot_be_is_not_believed(stamp_ms: float) -> None:
    assert by_kernel(stamp_ms, START_NS) == START_NS


def test_a_kernel_stamp_is_the_moment_of_capture() -> None:
    assert by_kernel((START_NS - 40 * MS) / MS, START_NS) == START_NS - 40 * MS
    assert by_kernel((START_NS - MOST_NS - MS) / MS, START_NS) == START_NS


def test_frames_that_arrive_evenly_are_new() -> None:
    captured = captures(100)
    told = ages_ms(stamps_of(captured), grabbed(captured, [20.0] * 100))
    assert told[:SETTLED_STEPS] == [None] * SETTLED_STEPS
    assert told[SETTLED_STEPS:] == pytest.approx([0] * (100 - SETTLED_STEPS), abs=0.1)


def test_jitter_is_age_and_nothing_is_from_the_future() -> None:
    jitter = np.random.default_rng(0).exponential(15, 3000)
    captured = captures(3000)
    grabs = grabbed(captured, 20 + jitter)
    told = ages_ms(stamps_of(captured), grabs)
    true = [(grab - one) / MS - 20 for grab, one in zip(grabs, captured, strict=True)]
    wrong = [said - age for said, age in zip(told, true, strict=True) if said is not None]
    assert len(wrong) > 2900
    assert min(age for age in told if age is not None) >= 0
    assert max(wrong) < 1
    assert np.percentile(wrong, 1) > -3, "only the least delay it has met may be hidden"


@pytest.mark.parametrize("drift", [1e-4, -1e-4])
def test_a_clock_that_runs_apart_is_followed_for_ten_minutes(drift: float) -> None:
    captured = captures(600 * 30)
    stamps = [stamp * (1 + drift) for stamp in stamps_of(captured)]
    told = ages_ms(stamps, grabbed(captured, [20.0] * len(captured)))
    assert max(age for age in told[10:] if age is not None) < 0.1


def test_a_delay_that_stays_is_not_taken_to_be_normal() -> None:
    captured = captures(30 * 60)
    delays = [20.0] * 300 + [420.0] * (len(captured) - 300)
    told = ages_ms(stamps_of(captured), grabbed(captured, delays))
    assert told[300] == pytest.approx(400, abs=1)
    assert told[-1] is not None
    assert told[-1] > 370, "after 50 s"


def test_what_was_held_up_comes_at_once_and_is_as_old_as_it_is() -> None:
    captured = captures(300)
    released = captured[160]
    delays = [
        max(20.0, (released - one) / MS) if n >= 130 else 20.0 for n, one in enumerate(captured)
    ]
    told = ages_ms(stamps_of(captured), grabbed(captured, delays))
    for n in range(130, 160):
        assert told[n] == pytest.approx(delays[n] - 20, abs=1)
    assert told[-1] == pytest.approx(0, abs=1)


def test_what_was_read_before_the_first_grab_has_no_age_and_what_follows_is_new() -> None:
    """As FFmpeg does: 27 frames at once, the first two with one stamp, then the camera's pace."""
    captured = captures(60)
    connected = captured[27]
    grabs = [max(one + 20 * MS, connected + n * MS // 2) for n, one in enumerate(captured)]
    stamps = stamps_of(captured)
    told = ages_ms([stamps[1], *stamps[1:]], grabs)
    assert told[:27] == [None] * 27
    settled = 28 + SETTLED_STEPS
    assert told[settled:] == pytest.approx([0] * (60 - settled), abs=1)


@pytest.mark.parametrize("stamp_ms", [0.0, -1.0])
def test_stamps_that_stand_are_no_clock(stamp_ms: float) -> None:
    told = ages_ms([stamp_ms] * 50, captures(50))
    assert told[STANDING_FRAMES:] == [0.0] * (50 - STANDING_FRAMES)


def test_no_stamp_at_all_is_no_clock() -> None:
    assert ages_ms([math.nan] * 5, captures(5)) == [0.0] * 5


def test_one_missing_stamp_does_not_confuse_the_others() -> None:
    captured = captures(60)
    stamps = stamps_of(captured)
    stamps[40] = math.nan
    told = ages_ms(stamps, grabbed(captured, [20.0] * 60))
    assert max(age for age in told if age is not None) < 1


@pytest.mark.parametrize("jump_ms", [-95_443_717.7, -500.0, 500.0, 3_600_000.0])
def test_a_clock_that_is_set_anew_or_wraps_round_does_not_make_frames_old(jump_ms: float) -> None:
    captured = captures(200)
    stamps = [stamp + (jump_ms if n >= 100 else 0) for n, stamp in enumerate(stamps_of(captured))]
    told = ages_ms(stamps, grabbed(captured, [20.0] * 200))
    assert max(age for age in told if age is not None) < 1


def test_a_clock_set_back_while_frames_are_late_leaves_them_late() -> None:
    captured = captures(200)
    stamps = [stamp - (50_000 if n >= 100 else 0) for n, stamp in enumerate(stamps_of(captured))]
    delays = [20.0] * 50 + [320.0] * 150
    told = ages_ms(stamps, grabbed(captured, delays))
    assert told[100] == pytest.approx(300, abs=2)
    assert told[150] == pytest.approx(300, abs=3)


def test_stamps_that_run_ahead_of_the_frames_are_given_up() -> None:
    """Of a source that claims 30 frames a second and gives 20: each would lower the offset."""
    captured = captures(400)
    told = ages_ms([stamp * 1.5 for stamp in stamps_of(captured)], captured)
    settled = math.ceil(SETTLE_WITHIN_NS / PERIOD_NS)
    assert told[settled - 1] is None
    assert told[settled + 1 :] == [0.0] * (400 - settled - 1)


def test_no_frame_is_older_than_the_one_before_it() -> None:
    chance = np.random.default_rng(1)
    stamps = list(np.cumsum(chance.normal(33, 400, 2000)))
    clock, last = StreamClock(), 0
    for stamp, grab in zip(stamps, captures(2000), strict=True):
        if (captured := clock(float(stamp), grab)) is not None:
            assert last <= captured <= grab
            last = captured
