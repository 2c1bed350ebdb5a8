"""Verdicts on real detectors, measured in turn on this machine."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from stopline.devices.latency.closed_loop import Query, Run
from stopline.devices.latency.comparison import Verdict
from stopline.devices.latency.interleaved import Opens, Pairs, in_turn
from stopline.devices.latency.replay import Kept, keep
from stopline.devices.latency.waiting import Waiting
from tests.devices.latency.planted import opens


def waits(ms: float, waited_ms: float | None) -> Query:
    """A query whose times are known: on a machine that is busy for as long as `waited_ms`."""

    def query() -> Run:
        return Run(0, ms, ms, waited_ms)

    return query


def pairs_of(a: Query, b: Query) -> Pairs:
    return in_turn(lambda: nullcontext(a), lambda: nullcontext(b), 0)


def test_waiting_for_a_core_is_not_the_models_time() -> None:
    pairs = pairs_of(waits(30, 5), waits(40, 15))
    assert pairs.minus_waiting
    assert set(pairs.a_ms) == set(pairs.b_ms) == {25.0}
    assert pairs.compared().verdict is Verdict.UNSURE


def test_where_the_kernel_does_not_tell_times_are_as_measured() -> None:
    pairs = pairs_of(waits(30, None), waits(33, 5))
    assert not pairs.minus_waiting
    assert set(pairs.b_ms) == {33}
    assert pairs.compared().verdict is Verdict.SLOWER


def test_both_are_opened_anew_again_and_again_in_random_order() -> None:
    openings = []

    def opens_as(name: str) -> Opens:
        @contextmanager
        def opened() -> Iterator[Query]:
            openings.append(name)
            # No two alike, so that the ratio is not known at once.
            yield lambda: Run(0, 30.0 * next(odd), 30.0 * next(odd), 0.0)

        return opened

    odd = itertools.cycle([1.0, 1.3, 0.8, 1.1, 0.7])
    clock = itertools.count(0, 1_000_000_000)
    found = in_turn(opens_as("a"), opens_as("b"), 1, clock=lambda: next(clock))
    assert len(openings) == len(found.a_ms) / 30 * 2
    assert {tuple(openings[at : at + 2]) for at in range(0, len(openings), 2)} == {
        ("a", "b"),
        ("b", "a"),
    }


def test_a_kernel_that_tells_nothing_of_waiting_is_not_guessed_at(tmp_path: Path) -> None:
    assert Waiting(tmp_path)() is None
    folder = tmp_path / f"self/task/{threading.get_native_id()}"
    folder.mkdir(parents=True)
    (folder / "schedstat").write_text("50 7000000 3\n")
    assert Waiting(tmp_path)() == 7_000_000


def test_of_a_thread_that_had_to_wait_the_kernel_tells_how_long() -> None:
    """Two threads on one core: each waits for about as long as the other works."""
    allowed, told = os.sched_getaffinity(0), []

    def work() -> None:
        os.sched_setaffinity(0, {min(allowed)})
        waiting, until_ns = Waiting(), time.thread_time_ns() + 60_000_000
        before = waiting()
        while time.thread_time_ns() < until_ns:
            pass
        after = waiting()
        assert before is not None
        assert after is not None
        told.append(after - before)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(told) > 10_000_000


@pytest.fixture(scope="module")
def kept() -> Kept:
    return keep("sim://road?width=320&height=180", most=2)


@pytest.mark.journey
def test_a_planted_slowdown_of_3_percent_is_called_slower(kept: Kept) -> None:
    found = in_turn(*opens(0.03, kept), 4).compared()
    assert found.verdict is Verdict.SLOWER, found


@pytest.mark.journey
def test_two_runs_of_the_same_thing_cannot_be_told_apart(kept: Kept) -> None:
    found = in_turn(*opens(0.0, kept), 4).compared()
    assert found.verdict is Verdict.UNSURE, found


def test_a_planted_slowdown_of_30_percent_needs_no_patience(kept: Kept) -> None:
    found = in_turn(*opens(0.3, kept), 0.1).compared()
    assert found.verdict is Verdict.SLOWER, found
