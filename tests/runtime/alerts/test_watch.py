"""Alerts begin and end when a person with a watch would say so, and never on a guess."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stopline.runtime.alerts.rules import Rule, Zone, no_rules
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.events import Alert
from stopline.runtime.frame import CameraState, Result
from tests.runtime.alerts.staged import Thing, rules_of, seen, times, unseen

IN_LEFT = Rule(name="in the left", kind="person", zone="left", held_s=0.3, gone_s=1.0)
HERE = Thing(7, x=0.25)
THERE = Thing(7, x=0.75)


def play(watch: Watch, *results: Result) -> list[tuple[str, Any]]:
    """The phases that are told, with their moments in seconds."""
    told: list[Alert] = []
    for result in results:
        told += watch(result)
    return [(alert.phase, alert.at_ns / 1e9) for alert in told]


def standing(start_s: float, end_s: float, *things: Thing, fps: float = 10) -> list[Result]:
    return [seen(at_s, *things) for at_s in times(start_s, end_s, fps)]


def test_without_rules_there_are_no_alerts() -> None:
    watch = Watch(no_rules())
    assert play(watch, *standing(0, 5, HERE), unseen(CameraState.LOST)) == []


def test_without_objects_there_are_no_alerts() -> None:
    assert play(Watch(rules_of(IN_LEFT)), *standing(0, 5)) == []


@pytest.mark.parametrize("fps", [30, 10, 5])
def test_an_alert_begins_after_the_time_asked_for_and_ends_after_its_patience(fps: float) -> None:
    watch = Watch(rules_of(IN_LEFT))
    told = play(watch, *standing(1, 3, HERE, fps=fps), *standing(3, 6, THERE, fps=fps))
    assert [phase for phase, _ in told] == ["began", "ended"]
    assert told[0][1] == pytest.approx(1.3, abs=1 / fps)
    assert told[1][1] == pytest.approx(4.0, abs=1 / fps)


def test_an_alert_says_what_it_is_of() -> None:
    watch = Watch(rules_of(IN_LEFT))
    [began] = [alert for result in standing(0, 0.5, HERE) for alert in watch(result)]
    assert (began.rule, began.zone, began.camera, began.name) == (
        "in the left",
        "left",
        "front",
        "person",
    )
    assert began.track == 7
    assert began.held_s == 0.3
    assert began.box == pytest.approx((40, 40, 60, 60), abs=1e-3)
    assert began.why is None
    [ended] = [alert for result in standing(0.5, 2, THERE) for alert in watch(result)]
    assert ended.id == began.id
    assert ended.held_s == pytest.approx(0.4)
    assert ended.box == pytest.approx((140, 40, 160, 60), abs=1e-3), "where it was seen last"
    assert ended.why is None


def test_an_alert_of_what_has_gone_from_view_ends_where_it_was_seen_last() -> None:
    watch = Watch(rules_of(IN_LEFT))
    told = [alert for r in (*standing(0, 1, HERE), *standing(1, 3)) for alert in watch(r)]
    assert [alert.phase for alert in told] == ["began", "ended"]
    assert told[1].box == told[0].box


def test_what_is_elsewhere_or_of_another_class_raises_nothing() -> None:
    watch = Watch(rules_of(IN_LEFT))
    assert play(watch, *standing(0, 3, THERE, Thing(8, name="car"))) == []


def test_a_moment_is_not_enough() -> None:
    watch = Watch(rules_of(IN_LEFT))
    for start in range(0, 20, 2):
        assert (
            play(watch, *standing(start, start + 0.25, HERE), *standing(start + 0.25, start + 2))
            == []
        )


def test_short_interruptions_neither_end_it_nor_start_it_over() -> None:
    watch = Watch(rules_of(IN_LEFT))
    # Every third frame misses it.
    flickering = [
        seen(at_s, *([] if nth % 3 == 2 else [HERE])) for nth, at_s in enumerate(times(0, 5))
    ]
    assert play(watch, *flickering) == [("began", pytest.approx(0.3, abs=0.11))]


def test_before_it_begins_an_interruption_as_long_as_what_is_asked_for_starts_it_over() -> None:
    watch = Watch(rules_of(IN_LEFT))
    frames = [*standing(0, 0.2, HERE), *standing(0.2, 0.6), *standing(0.6, 2, HERE)]
    assert play(watch, *frames) == [("began", pytest.approx(0.9))]


def test_an_object_that_moves_about_the_edge_of_a_zone_raises_one_alert() -> None:
    watch = Watch(rules_of(IN_LEFT))
    about = [seen(at_s, HERE if nth % 8 < 4 else THERE) for nth, at_s in enumerate(times(0, 20))]
    assert [phase for phase, _ in play(watch, *about)] == ["began"]


def test_every_object_has_an_alert_of_its_own() -> None:
    watch = Watch(rules_of(IN_LEFT))
    told = [a for r in standing(0, 1, HERE, Thing(8, x=0.1)) for a in watch(r)]
    assert sorted(alert.track for alert in told) == [7, 8]
    assert len({alert.id for alert in told}) == 2


def test_objects_without_a_number_yet_raise_nothing() -> None:
    assert play(Watch(rules_of(IN_LEFT)), *standing(0, 2, Thing(0))) == []


def test_objects_that_nobody_numbers_are_refused() -> None:
    result = seen(0, HERE)
    untracked = replace(result, detections=replace(result.detections, tracks=None))
    with pytest.raises(ValueError, match="have no numbers"):
        Watch(rules_of(IN_LEFT))(untracked)
    assert Watch(no_rules())(untracked) == []


def test_a_zone_of_one_camera_is_of_no_other() -> None:
    zone = Zone(points=((0, 0), (1, 0), (1, 1), (0, 1)), camera="rear")
    watch = Watch(rules_of(IN_LEFT, zones={"left": zone}))
    assert play(watch, *standing(0, 2, HERE)) == []
    rear = [seen(at_s, HERE, camera="rear") for at_s in times(0, 2)]
    assert [phase for phase, _ in play(watch, *rear)] == ["began"]


def test_cameras_have_times_of_their_own() -> None:
    watch = Watch(rules_of(IN_LEFT))
    told = []
    for at_s in times(0, 2):
        told += watch(seen(at_s, HERE))
        told += watch(seen(1000 + at_s, HERE, camera="rear"))
    assert [alert.camera for alert in told] == ["front", "rear"]
    assert [alert.at_ns / 1e9 for alert in told] == pytest.approx([0.3, 1000.3])


def test_the_foot_counts_unless_any_part_is_asked_for() -> None:
    upper = Zone(points=((0, 0), (1, 0), (1, 0.5), (0, 0.5)))
    foot = Rule(name="foot", kind="person", zone="upper", held_s=0)
    part = Rule(name="part", kind="person", zone="upper", held_s=0, touch="any")
    watch = Watch(rules_of(foot, part, zones={"upper": upper}))
    told = watch(seen(0, Thing(1, y=0.5, height=0.2)))
    assert [alert.rule for alert in told] == ["part"]


def growing(start_s: float, contact_s: float, until_s: float) -> list[Result]:
    return [
        seen(start_s + t, Thing(3, y=0.4, name="stop sign", height=0.4 / (contact_s - t)))
        for t in times(0, until_s, 15)
    ]


def test_a_sign_that_comes_closer_is_told_and_one_that_does_not_is_not() -> None:
    ahead = Rule(name="ahead", kind="stop sign", held_s=0.3, growing=0.2)
    told = play(Watch(rules_of(ahead)), *growing(0, 4, 3))
    assert [phase for phase, _ in told] == ["began"]
    assert 0.6 <= told[0][1] <= 1.2, "0.4 s to measure, 0.3 s to hold"
    parked = [seen(t, Thing(3, y=0.4, name="stop sign")) for t in times(0, 5, 15)]
    assert play(Watch(rules_of(ahead)), *parked) == []
    assert play(Watch(rules_of(ahead)), *growing(0, 40, 5)) == [], "too slowly: 40 s away"


# --- what nobody knows -------------------------------------------------------------------------


def test_while_stale_nothing_begins_and_nothing_ends() -> None:
    watch = Watch(rules_of(IN_LEFT))
    stale = unseen(CameraState.STALE)
    told = play(watch, *standing(0, 0.2, HERE), stale, *standing(1.1, 1.2, HERE))
    assert told == [], "held for 0.1 s, and nobody knows what was in the second between"
    assert play(watch, *standing(1.2, 1.5, HERE)) == [("began", pytest.approx(1.3))]
    # Gone for 0.1 s, then nobody knows, then gone for 0.8 s: that is not 1 s.
    told = play(watch, *standing(1.5, 1.7), stale, *standing(5, 5.9))
    assert told == []
    assert play(watch, *standing(5.9, 6.1)) == [("ended", pytest.approx(5.9))]


def test_an_answer_that_missed_its_deadline_costs_no_alert() -> None:
    """A single one is STALE for a moment; time that is that short is not unknown."""
    watch = Watch(rules_of(IN_LEFT))
    results: list[Result] = []
    for result in standing(0, 2, HERE, fps=5):
        results += [result, unseen(CameraState.STALE)]
    assert [phase for phase, _ in play(watch, *results)] == ["began"]


@pytest.mark.parametrize("state", [CameraState.LOST, CameraState.ENDED])
def test_an_alert_ends_with_its_camera_and_says_so(state: CameraState) -> None:
    watch = Watch(rules_of(IN_LEFT), clock=lambda: 9_000_000_000)
    play(watch, *standing(0, 2, HERE))
    [ended] = watch(unseen(state))
    assert (ended.phase, ended.why) == ("ended", f"camera {state.value}")
    assert ended.at_ns == 9_000_000_000
    assert ended.held_s == pytest.approx(1.9)
    assert watch.remembered == 0
    assert watch(unseen(state)) == []


def test_what_had_not_begun_when_the_camera_was_lost_starts_over() -> None:
    watch = Watch(rules_of(IN_LEFT))
    frames = [*standing(0, 0.3, HERE), unseen(CameraState.LOST), *standing(3, 3.5, HERE)]
    assert play(watch, *frames) == [("began", pytest.approx(3.3))]


def test_what_was_begun_ends_with_the_run() -> None:
    watch = Watch(rules_of(IN_LEFT))
    play(watch, *standing(0, 2, HERE))
    [ended] = watch.over()
    assert (ended.phase, ended.why) == ("ended", "run over")
    assert watch.over() == []


# --- other rules ---------------------------------------------------------------------------------


def test_rules_that_stay_go_on_while_others_change() -> None:
    watch = Watch(rules_of(IN_LEFT))
    assert [phase for phase, _ in play(watch, *standing(0, 1, HERE))] == ["began"]
    anywhere = Rule(name="anywhere", kind="person", held_s=0)
    watch.rules = rules_of(IN_LEFT, anywhere)
    told = [alert for result in standing(1, 3, HERE) for alert in watch(result)]
    assert [(alert.rule, alert.phase) for alert in told] == [("anywhere", "began")]


@pytest.mark.parametrize(
    "change",
    [
        lambda: rules_of(),
        lambda: rules_of(IN_LEFT, zones={"left": Zone(points=((0, 0), (1, 0), (1, 1)))}),
        lambda: rules_of(Rule(name="in the left", kind="person", zone="left", held_s=0.4)),
    ],
)
def test_what_was_begun_by_a_rule_that_is_no_more_ends_and_says_so(
    change: Callable[[], object],
) -> None:
    watch = Watch(rules_of(IN_LEFT))
    play(watch, *standing(0, 1, HERE))
    watch.rules = change()  # type: ignore[assignment]
    [ended] = [a for a in watch(seen(1, HERE)) if a.phase == "ended"]
    assert ended.why == "rules changed"


def test_rules_may_be_changed_from_another_thread_at_any_moment() -> None:
    watch = Watch(rules_of(IN_LEFT))
    done = threading.Event()

    def change() -> None:
        other = Rule(name="other", kind="person", zone="left", held_s=0.1, gone_s=0.1)
        while not done.is_set():
            watch.rules = rules_of(IN_LEFT, other)
            watch.rules = rules_of(IN_LEFT)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        told = [a for r in standing(0, 200, HERE, Thing(8, x=0.1)) for a in watch(r)]
    finally:
        done.set()
        thread.join()
    assert [alert.phase for alert in told if alert.rule == "in the left"] == ["began", "began"]
    open_alerts = [alert.phase for alert in told if alert.rule == "other"]
    assert 0 <= open_alerts.count("began") - open_alerts.count("ended") <= 2


# --- for weeks -----------------------------------------------------------------------------------


def test_what_is_gone_is_forgotten_however_many_there_were() -> None:
    ahead = Rule(name="ahead", kind="person", held_s=0.3, growing=0.1)
    watch = Watch(rules_of(IN_LEFT, ahead))
    chance = np.random.default_rng(0)
    most = 0
    for second in range(600):
        # Each seen for a moment only, three at a time; some stay long enough for an alert.
        things = [Thing(3 * second + k, x=float(chance.uniform(0, 1))) for k in range(3)]
        for at_s in times(second, second + 1, 5):
            watch(seen(at_s, *things))
        most = max(most, watch.remembered)
    assert most < 60
    for at_s in times(600, 605, 5):
        watch(seen(at_s))
    assert watch.remembered == 0
