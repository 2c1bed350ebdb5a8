"""What the page may show of a run: bounded, and nothing of what is over."""

from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState
from stopline.runtime.sinks.view.scene import (
    MOST_EVENTS,
    MOST_POINTS,
    Point,
    Scene,
    stage_medians_ms,
)
from tests.runtime.clips import grey
from tests.runtime.sinks.view.shown import dead, live

SECOND = 1_000_000_000


def test_cameras_are_there_before_they_give_anything() -> None:
    scene = Scene(("front", "rear"), lambda: 0)
    assert list(scene.cameras) == ["front", "rear"]
    assert scene.cameras["rear"].state is CameraState.CONNECTING
    assert scene.cameras["rear"].newest is None


def test_a_camera_that_is_not_live_has_nothing_to_show() -> None:
    scene = Scene(clock=lambda: 0)
    scene.write(live(grey(0)))
    assert scene.cameras["front"].newest is not None
    for state in (CameraState.STALE, CameraState.LOST, CameraState.ENDED):
        scene.write(dead(state, dropped=2))
        assert scene.cameras["front"].newest is None
        assert scene.cameras["front"].state is state
    assert scene.cameras["front"].dropped == 6


def test_a_state_has_a_beginning() -> None:
    now = [0]
    scene = Scene(clock=lambda: now[0])
    for now[0], result in [(1, live(grey(0))), (2, live(grey(0))), (3, dead()), (4, dead())]:
        scene.write(result)
    assert scene.cameras["front"].since_ns == 3


def test_no_more_than_a_minute_and_so_many_points_are_kept() -> None:
    now = [0]
    scene = Scene(clock=lambda: now[0])
    image = grey(0)
    for now[0] in range(0, 100 * SECOND, SECOND):
        scene.write(live(image))
    assert [p.at_ns // SECOND for p in scene.cameras["front"].points] == list(range(39, 100))
    for _ in range(MOST_POINTS + 10):
        scene.write(live(image))
    assert len(scene.cameras["front"].points) == MOST_POINTS


def test_events_are_bounded_and_the_last_step_is_remembered() -> None:
    scene = Scene(clock=lambda: 0)
    for level in range(MOST_EVENTS + 5):
        scene.tell(Step(at_ns=level, utc="", level=level, rung="", why=""))
    assert len(scene.events) == MOST_EVENTS
    assert scene.step is not None
    assert scene.step.level == MOST_EVENTS + 4


def test_stages_are_medians_in_the_order_of_the_newest_answer() -> None:
    points = [Point(0, 0, (("engine", engine), ("nms", 10**6))) for engine in (1, 9 * 10**6, 10**9)]
    assert stage_medians_ms(points) == {"engine": 9, "nms": 1}
    assert stage_medians_ms([]) == {}
