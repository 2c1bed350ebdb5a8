"""The ladder is known before anything goes wrong, and each rung asks for less than the last."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stopline.runtime.governor.ladder import Rung, ladder_for


def test_the_first_rung_is_all_that_was_asked_for() -> None:
    assert ladder_for(0.1, 4, fallback=True)[0] == Rung("all that was asked for")


def test_rate_goes_first_then_the_detector_then_the_cameras() -> None:
    rungs = ladder_for(0.2, 3, fallback=True, camera_fps=30)
    assert [(rung.most_fps, rung.detector, rung.cameras) for rung in rungs] == [
        (None, 0, None),
        (15, 0, None),
        (7.5, 0, None),
        (5, 0, None),
        (5, 1, None),
        (5, 1, 2),
        (5, 1, 1),
    ]
    assert rungs[5].name == "at most 5 fps, fallback detector, 2 of 3 cameras"


def test_without_a_fallback_and_with_one_camera_there_is_only_the_rate() -> None:
    assert [rung.most_fps for rung in ladder_for(0.1, 1, fallback=False)] == [None, 15, 10]


def test_a_camera_is_not_looked_at_less_often_than_a_deadline_long() -> None:
    assert ladder_for(0.1, 1, fallback=False, camera_fps=60)[-1].most_fps == 10


def test_a_slow_camera_is_halved_once() -> None:
    assert [rung.most_fps for rung in ladder_for(0.5, 1, False, camera_fps=8)] == [None, 4]


@settings(derandomize=True, max_examples=200)
@given(some.floats(0.01, 5), some.integers(1, 16), some.booleans(), some.floats(1, 120))
def test_every_rung_asks_for_less(deadline_s: float, n: int, fallback: bool, fps: float) -> None:
    def load(rung: Rung) -> tuple[float, float, float]:
        cameras = rung.cameras or n
        return (rung.most_fps or fps, -rung.detector, cameras)

    for above, below in itertools.pairwise(ladder_for(deadline_s, n, fallback, fps)):
        assert load(above) != load(below)
        assert all(more >= less for more, less in zip(load(above), load(below), strict=True))


@pytest.mark.parametrize(("deadline_s", "cameras"), [(0.0, 1), (-1.0, 1), (0.1, 0)])
def test_nonsense_is_refused(deadline_s: float, cameras: int) -> None:
    with pytest.raises(ValueError, match="wanted more than 0"):
        ladder_for(deadline_s, cameras, fallback=False)
