"""A sink behind a queue cannot hold the pipeline, and nothing is lost uncounted."""

import threading
import time

import pytest

from stopline.runtime.events import Alert, Event, SinkTrouble
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.behind import SETTLED_NS, Behind
from tests.runtime.clips import grey, until
from tests.runtime.sinks.giving import Gate, Taking, alert, live, silent


def waiting_at(gate: Gate, behind: Behind) -> None:
    """Have the sink hang in its first result, so that all further ones wait."""
    behind.write(live(0))
    assert gate.reached.wait(10)


def test_everything_arrives_in_its_order_and_the_thread_goes_with_it() -> None:
    before = threading.active_count()
    sink = Taking()
    given: list[Result | Event] = [live(0), alert(), live(1), silent(), alert(2)]
    with Behind(sink) as behind:
        for item in given:
            if isinstance(item, Result):
                behind.write(item)
            else:
                behind.tell(item)
    assert [getattr(item, "state", item) for item in sink.order] == [
        getattr(item, "state", item) for item in given
    ]
    assert sink.closed
    assert behind.counters.written == 5
    assert behind.counters.lost == behind.counters.dropped_by_queue == 0
    assert threading.active_count() == before


def test_a_sink_that_hangs_for_ever_costs_nothing_and_its_losses_are_counted() -> None:
    gate, told = Gate(), list[SinkTrouble]()
    behind = Behind(Taking(gate), 10, on_trouble=told.append)
    waiting_at(gate, behind)
    began = time.perf_counter()
    for index in range(1, 2001):
        behind.write(live(index))
    assert (time.perf_counter() - began) / 2000 < 0.001
    assert behind.counters.dropped_by_queue == 1990
    assert [(event.sink, event.lost) for event in told] == [("taking", 1)]
    assert "too slow" in str(told[0].error)
    began = time.perf_counter()
    behind.close(within_s=0.2)
    assert time.perf_counter() - began < 1
    assert behind.hangs
    assert behind.counters.written == 0
    assert behind.counters.lost + behind.counters.dropped_by_queue == 2001
    assert told[-1].lost == 2001
    assert "left behind" in str(told[-1].error)
    behind.write(live())  # whoever is late does no harm, and is counted
    assert behind.counters.dropped_by_queue == 2001
    gate.open.set()
    until(lambda: not behind.hangs)


def test_the_newest_of_each_camera_and_every_event_outlive_a_flood() -> None:
    gate, sink = Gate(), Taking()
    sink._before = gate
    behind = Behind(sink, 10)
    waiting_at(gate, behind)
    behind.write(silent(CameraState.LOST, "rear"))
    for number in range(5):
        behind.tell(alert(number))
    for index in range(1, 101):
        behind.write(live(index))
    gate.open.set()
    behind.close()
    told = [event.id for event in sink.events if isinstance(event, Alert)]
    assert told == [f"front-{number}" for number in range(5)]
    assert [result.state for result in sink.results if result.camera == "rear"] == ["LOST"]
    last = sink.results[-1].frame
    assert last is not None
    assert last.index == 100


def test_what_a_sink_is_given_adds_up_to_what_was_sent() -> None:
    gate, sink = Gate(), Taking()
    sink._before = gate
    behind = Behind(sink, 3)
    waiting_at(gate, behind)
    for index in range(1, 50):
        behind.write(live(index))
    behind.write(silent(CameraState.STALE, dropped=7))
    behind.write(live(58))
    gate.open.set()
    behind.close()
    assert len(sink.results) == 4
    assert sum((result.frame is not None) + result.dropped for result in sink.results) == 58


@pytest.mark.parametrize(("events", "kept"), [(3, [0, 1, 2]), (5, [2, 3, 4])])
def test_events_push_results_out_and_only_events_push_out_events(
    events: int, kept: list[int]
) -> None:
    gate, sink = Gate(), Taking()
    sink._before = gate
    behind = Behind(sink, 3)
    waiting_at(gate, behind)
    behind.tell(alert(0))
    behind.write(live(1))
    for number in range(1, events):
        behind.tell(alert(number))
    gate.open.set()
    behind.close()
    assert len(sink.results) == 1
    assert sink.events == [alert(number) for number in kept]
    assert behind.counters.dropped_by_queue == events - 2


def test_a_failing_sink_is_told_of_once_and_once_more_when_it_works_again() -> None:
    now, failing, told = [0], [True], list[SinkTrouble]()

    def before() -> None:
        if failing[0]:
            raise OSError("no space left")

    sink = Taking(before)
    behind = Behind(sink, clock=lambda: now[0], on_trouble=told.append)

    def give(count: int) -> None:
        for _ in range(count):
            behind.write(live())
        until(lambda: sum((behind.counters.written, behind.counters.lost)) == given[0] + count)
        given[0] += count

    given = [0]
    give(5)
    assert [(event.error, event.lost) for event in told] == [("no space left", 1)]
    failing[0] = False
    give(1)
    assert len(told) == 1  # a second without a loss, before it is believed
    now[0] += SETTLED_NS
    give(1)
    assert [(event.error, event.lost) for event in told[1:]] == [(None, 5)]
    assert sink.results[0].dropped == 5
    failing[0] = True
    give(2)
    assert [(event.error, event.lost) for event in told[2:]] == [("no space left", 6)]
    behind.close()
    assert (behind.counters.written, behind.counters.lost) == (2, 7)
    assert [(event.error, event.lost) for event in told[3:]] == [("no space left", 7)]  # at last


@pytest.mark.parametrize("kind", [KeyError, BrokenPipeError])
def test_a_mistake_in_a_sink_ends_the_run_at_the_next_write(kind: type[Exception]) -> None:
    def before() -> None:
        raise kind("mistaken")

    behind = Behind(Taking(before))
    behind.write(live())
    until(lambda: not behind._thread.is_alive())
    with pytest.raises(kind, match="mistaken") as caught:
        behind.write(live())
    assert caught.traceback[-1].name == "before"  # where it happened, not where it is told
    behind.close()


def test_a_mistake_in_the_last_write_is_raised_by_close() -> None:
    def before() -> None:
        raise KeyError("mistaken")

    behind = Behind(Taking(before))
    behind.tell(alert())
    with pytest.raises(KeyError, match="mistaken"):
        behind.close()


def test_images_are_kept_alive_only_for_a_sink_that_looks_at_them() -> None:
    for wanted in (True, False):
        sink = Taking(wants_images=wanted)
        with Behind(sink) as behind:
            behind.write(live(image=grey(9, (4, 6))))
            behind.write(silent())
        frame = sink.results[0].frame
        assert frame is not None
        assert frame.image.shape == ((4, 6, 3) if wanted else (0, 0, 3))
        assert sink.results[1].frame is None
