"""Down when answers are late or the board is hot, up when there is proof, each with its numbers."""

import dataclasses
from typing import Any

import msgspec
import pytest

from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.governor.governor import Governor, GovernorSettings, Throttling
from stopline.runtime.governor.ladder import Rung, ladder_for
from tests.runtime.governor.giving import SECOND, Answer, Clock, give, steady
from tests.runtime.governor.queueing import NOTHING

DEADLINE_S = 0.1
LADDER = ladder_for(DEADLINE_S, 3, fallback=True)  # 15 fps, 10 fps, fallback, 2 and 1 of 3 cameras
LAST = len(LADDER) - 1
SETTINGS = GovernorSettings(DEADLINE_S)


def governor(
    clock: Clock, heat: Throttling | None = None, settings: GovernorSettings = SETTINGS
) -> Governor:
    return Governor(LADDER, settings, heat, clock)


def late_until_it_steps(one: Governor, clock: Clock) -> Step:
    """Give it answers that are too late, and no more of them than it needs."""
    while (step := one(Answer(clock() / 1e6, None).result)) is None:
        clock.now_ns += SECOND // 20
    return step


def test_it_starts_with_all_that_was_asked_for() -> None:
    one = governor(Clock())
    assert (one.level, one.rung) == (0, LADDER[0])


def test_answers_in_time_change_nothing() -> None:
    clock = Clock()
    assert give(governor(clock), clock, steady(99, 120)).steps == []


def test_a_few_late_ones_change_nothing() -> None:
    clock = Clock()
    answers = [
        dataclasses.replace(one, age_ms=None) if nth % 25 == 0 else one
        for nth, one in enumerate(steady(50, 120))
    ]
    assert give(governor(clock), clock, answers).steps == []


@pytest.mark.parametrize("age_ms", [None, 140.0], ids=["missed", "told late"])
def test_late_ones_are_a_step_down_with_the_numbers(age_ms: float | None) -> None:
    clock = Clock()
    given = give(governor(clock), clock, [*steady(50, 5), *steady(age_ms, 6, since_s=5)])
    [step] = given.steps
    assert 5 <= given.at_s[0] <= 5.2  # more than 5 % of two seconds' answers
    assert (step.level, step.rung) == (1, "at most 15 fps")
    assert step.why.startswith("too slow: 3 of 41 answers in 2.0 s were later than 100 ms (7.3%,")
    assert "at most 5% wanted" in step.why


def test_it_goes_down_a_rung_every_two_to_three_seconds_and_stops_at_the_last() -> None:
    clock = Clock()
    one = governor(clock)
    given = give(one, clock, steady(None, 60))
    assert given.levels == list(range(1, LAST + 1))
    assert given.at_s[-1] <= 2.5 * LAST
    assert one.rung.name.endswith("1 of 3 cameras")


def test_three_late_ones_are_enough_however_long_they_take() -> None:
    clock = Clock()
    answers = [Answer(1e3 * second, None) for second in range(30)]
    assert give(governor(clock), clock, answers).at_s[:2] == [3.0, 6.0]


def test_two_are_not() -> None:
    clock = Clock()
    answers = [Answer(1e3 * nth, None if nth in (5, 6) else 50) for nth in range(60)]
    assert give(governor(clock), clock, answers).steps == []


def test_it_goes_up_again_with_the_numbers_and_takes_longer_than_down() -> None:
    clock = Clock()
    one = governor(clock)
    down = late_until_it_steps(one, clock)
    up = give(one, clock, steady(50, 30, since_s=3))
    assert (down.level, up.levels) == (1, [0])
    assert up.at_s[0] - down.at_ns / SECOND >= SETTINGS.first_wait_s
    assert "fast enough: " in up.steps[0].why
    assert "at most 1% wanted" in up.steps[0].why


def test_an_ascent_that_fails_doubles_the_wait_for_the_next_up_to_a_bound() -> None:
    clock = Clock()
    one = governor(clock, settings=GovernorSettings(DEADLINE_S, most_wait_s=60))
    waits_s = []
    for _ in range(6):
        down_s = late_until_it_steps(one, clock).at_ns / SECOND
        [up] = give(one, clock, steady(50, down_s + 65, since_s=down_s + 0.05)).steps
        waits_s.append(up.at_ns / SECOND - down_s)
        # The next loss follows within a minute of the ascent, which makes it one that failed.
        clock.now_ns = up.at_ns + SECOND
        give(one, clock, steady(50, up.at_ns / SECOND + 5, since_s=up.at_ns / SECOND + 1))
    assert waits_s == pytest.approx([10, 20, 40, 60, 60, 60], abs=1)


def test_once_it_held_for_long_it_is_trusted_again() -> None:
    clock = Clock()
    one = governor(clock)
    for held_s in (0.0, 350.0, 0.0):
        down_s = late_until_it_steps(one, clock).at_ns / SECOND
        [up] = give(one, clock, steady(50, down_s + 22 + held_s, since_s=down_s + 0.05)).steps
    assert up.at_ns / SECOND - down_s == pytest.approx(10, abs=1)


def test_what_answers_nothing_says_nothing() -> None:
    clock = Clock()
    one = governor(clock)
    late_until_it_steps(one, clock)
    for second in range(3, 600):
        clock.now_ns = second * SECOND
        assert one(Result("front", CameraState.LOST, None, NOTHING, dropped=30)) is None
    assert one.level == 1  # no answer is no proof


def test_a_camera_that_brings_its_frames_late_costs_no_other_camera() -> None:
    clock = Clock()
    one = governor(clock)
    give(one, clock, steady(None, 120, decode_ms=90))
    assert one.rung == Rung("at most 10 fps, fallback detector", 10, 1)


def test_a_throttled_board_is_a_step_with_the_reason_and_then_another() -> None:
    clock = Clock()
    reason = "gpu-thermal at 99.5 °C, its passive limit of 99 °C"
    one = governor(clock, lambda: reason)
    given = give(one, clock, steady(50, 120))
    assert given.levels == [1, 2, 3]
    assert given.at_s[0] == pytest.approx(1, abs=0.2)  # the second reading
    assert given.at_s[1] - given.at_s[0] == pytest.approx(SETTINGS.cool_s, abs=0.2)
    assert {step.why for step in given.steps} == {f"the board throttles: {reason}"}
    assert one.rung.cameras is None  # with every deadline met, no camera is given up for it


def test_a_moment_of_heat_is_none() -> None:
    clock = Clock()
    one = governor(clock, lambda: "hot" if clock() % (10 * SECOND) < SECOND else None)
    assert give(one, clock, steady(50, 120)).steps == []


def test_a_board_that_hovers_about_its_limit_is_hot() -> None:
    clock = Clock()
    one = governor(clock, lambda: "hot" if clock() // SECOND % 3 == 0 else None)
    assert give(one, clock, steady(50, 60)).levels == [1, 2, 3]


def test_nothing_goes_up_while_it_is_hot() -> None:
    clock = Clock()
    one = governor(clock, lambda: "hot" if clock() <= 100 * SECOND else None)
    given = give(one, clock, steady(50, 150))
    assert given.levels == [1, 2, 3, 2, 1, 0]
    assert given.at_s[3] >= 100 + SETTINGS.first_wait_s - 1  # its heat was read a second before


def test_the_sensors_are_read_once_a_second_at_most() -> None:
    clock, reads = Clock(), []

    def heat() -> str | None:
        reads.append(clock())
        return None

    give(governor(clock, heat), clock, steady(50, 60))
    assert len(reads) <= 61


def test_its_steps_can_be_written_down() -> None:
    clock = Clock()
    [step] = give(governor(clock), clock, steady(None, 2.5)).steps
    assert msgspec.json.decode(msgspec.json.encode(step), type=Step) == step
    assert step.utc.endswith("Z")


@pytest.mark.parametrize(
    "wrong",
    [{"deadline_s": 0.0}, {"window_s": -1.0}, {"few_late": 0.2}, {"most_late": 1.0}],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted times above 0"):
        dataclasses.replace(SETTINGS, **wrong)


def test_a_ladder_needs_a_rung() -> None:
    with pytest.raises(ValueError, match="without a rung"):
        Governor((), SETTINGS)
