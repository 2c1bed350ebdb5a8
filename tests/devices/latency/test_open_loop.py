"""Frames come whether or not we are ready; what was not answered in time is counted."""

import pytest

from stopline.devices.latency.closed_loop import throughput
from stopline.devices.latency.open_loop import Deadline, Offer, Served, serve
from stopline.devices.latency.replay import AtRate, InTurn, keep
from tests.devices.latency.loads import KEPT, MS, Clock, Takes

CAPACITY = Takes(0.02)  # 50 a second


def served(fps: float, deadline: Deadline, seconds: float = 1.0) -> Served:
    return serve(CAPACITY, Offer(KEPT, fps, seconds), deadline, [])


def test_frames_are_captured_when_they_were_due_however_late_they_are_read() -> None:
    clock = Clock(late_s=0.05)
    camera = AtRate(KEPT, 10, 4, clock, clock.sleep)
    frames = list(camera)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [(frame.captured_ns - frames[0].captured_ns) // MS for frame in frames] == [
        0,
        100,
        200,
        300,
    ]
    assert clock() - frames[-1].captured_ns >= 50 * MS


def test_a_camera_that_is_closed_gives_nothing_more() -> None:
    camera = AtRate(KEPT, 10, 4)
    next(camera)
    camera.close()
    assert list(camera) == []


def test_in_turn_no_frame_waits_for_its_time() -> None:
    frames = list(InTurn(KEPT, 6, Clock()))
    assert [frame.index for frame in frames] == list(range(6))
    assert frames[4].image is KEPT.images[0]


def test_below_capacity_every_frame_is_answered() -> None:
    found = served(10, Deadline(90, enforced=False))
    assert (found.sent, found.dropped) == (10, 0)
    ratio = found.miss_ratio(90)
    assert ratio is not None
    assert ratio <= 0.3  # of a machine that others use too


@pytest.mark.parametrize("fps", [100, 250])
def test_above_capacity_misses_are_told_and_the_age_stays_bounded(fps: float) -> None:
    found = served(fps, Deadline(1000 / fps, enforced=False))
    assert found.sent == fps  # of one second
    assert len(found.answers) + found.dropped == found.sent
    ratio = found.miss_ratio(1000 / fps)
    assert ratio is not None
    assert ratio > 0.99
    ages = [one.result.age_ms or 0.0 for one in found.answers]
    # A queue would have made the last answers hundreds of milliseconds old, and older all the time.
    half = len(ages) // 2
    assert sorted(ages[half:])[half // 2] < sorted(ages[:half])[half // 2] + 60
    rate = (len(found.answers) - 1) / found.seconds
    assert rate < 52  # what a benchmark that ignores drops would report with a smile


def test_an_enforced_deadline_publishes_nothing_older() -> None:
    found = served(100, Deadline(25, enforced=True))
    assert len(found.answers) + found.dropped == found.sent == 100
    assert all((one.result.age_ms or 0.0) <= 25 for one in found.answers)
    assert found.late > 0


def test_of_nothing_sent_no_ratio_is_known() -> None:
    assert Served([], 0, 0, 0, 0.0).miss_ratio(33) is None


def test_a_pipeline_takes_what_it_can() -> None:
    answers = throughput(CAPACITY, KEPT, [], 0.5)
    assert 5 <= len(answers) <= 26
    assert all(one.result.dropped == 0 for one in answers)


def test_images_of_the_simulated_road_are_kept() -> None:
    kept = keep("sim://road?width=64&height=36&fps=12", most=3)
    assert (len(kept.images), kept.fps, kept.images[0].shape) == (3, 12, (36, 64, 3))


def test_a_source_without_frames_is_an_error() -> None:
    with pytest.raises(OSError, match="gave no frame"):
        keep("sim://road?frames=0")
