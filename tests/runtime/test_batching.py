"""As many images at once as make the answers younger: all on a GPU, one on a CPU."""

from collections import Counter
from collections.abc import Callable

import pytest

from stopline.runtime.batching import AGAIN_LARGER, Batching, expected_age
from stopline.runtime.frame import CameraState
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.timeline import MS, Taking, Timeline, four

Cost = Callable[[int], float]


def flat(images: int) -> float:
    """As a GPU that four images do not fill, in ms."""
    return 40


def linear(images: int) -> float:
    """As a CPU, in ms."""
    return 20.0 * images


def sizes(
    cost: Cost, *, ready: int = 4, most: int = 4, runs: int = 100, left_ms: float = 1e6
) -> list[int]:
    """What is run while so many cameras are always ready."""
    batching, now_ns, chosen = Batching(most), 0, []
    for _ in range(runs):
        size = batching.size(ready, now_ns, left_ms * MS)
        took_ns = round(cost(size) * MS)
        now_ns += took_ns
        batching.ran(size, took_ns, now_ns)
        chosen.append(size)
    return chosen


def test_one_image_alone_is_run_alone_whatever_that_takes() -> None:
    assert set(sizes(flat, ready=1)) == {1}
    assert set(sizes(flat, most=1)) == {1}


def test_where_four_take_as_long_as_one_four_are_run() -> None:
    assert sizes(flat, runs=8) == [1, 1, 2, 2, 4, 4, 4, 4]
    assert Counter(sizes(flat, runs=1000))[4] > 970


def test_where_two_take_twice_as_long_one_is_run_after_two_trials() -> None:
    assert sizes(linear, runs=500) == [1, 1, 2, 2] + [1] * 496


def test_the_first_run_of_a_size_which_prepares_it_is_not_believed() -> None:
    seen: set[int] = set()

    def cost(images: int) -> float:
        first = images not in seen
        seen.add(images)
        return 2000 if first else 40

    assert sizes(cost, runs=20)[-1] == 4


@pytest.mark.parametrize(("four_take_ms", "size"), [(19, 4), (21, 1)])
def test_four_pay_if_they_take_less_than_two_runs_of_one(four_take_ms: int, size: int) -> None:
    """One at a time, an answer is one run old and ages for two more until its camera's next."""
    batching = Batching(4)
    for images, took_ms in ((1, 10), (2, 20), (4, four_take_ms)):
        for _ in range(2):
            batching.ran(images, took_ms * MS, 0)
    assert batching.size(4, 0, 1e18) == size
    assert expected_age(20, 4, 4) == expected_age(10, 1, 4)


def test_a_size_that_did_not_pay_is_hardly_ever_tried_again_but_found_when_it_does() -> None:
    batching, now_ns, chosen = Batching(4), 0, []
    for run in range(9000):
        cost = linear if run < 3000 else flat
        size = batching.size(4, now_ns, 1e18)
        now_ns += round(cost(size) * MS)
        batching.ran(size, round(cost(size) * MS), now_ns)
        chosen.append(size)
    assert Counter(chosen[4:3000])[2] <= 3000 * linear(1) / (AGAIN_LARGER * linear(2)) + 1
    assert Counter(chosen[7000:])[4] > 1900


def test_load_that_comes_and_goes_does_not_leave_a_cpu_in_batches() -> None:
    batching, now_ns, chosen = Batching(4), 0, []
    for run in range(3000):
        slow = 3 if 1000 <= run < 1100 else 1
        size = batching.size(4, now_ns, 1e18)
        now_ns += round(linear(size) * slow * MS)
        batching.ran(size, round(linear(size) * slow * MS), now_ns)
        chosen.append(size)
    assert Counter(chosen[1500:])[1] > 1490


def test_a_batch_that_would_miss_the_deadline_is_not_run() -> None:
    cost = {1: 60.0, 2: 80.0, 4: 100.0}.__getitem__
    assert sizes(cost)[-1] == 4
    assert set(sizes(cost, left_ms=90)) == {1}, "nor is it tried: two might take 120 ms"


@pytest.mark.parametrize(("cost", "most_used"), [(flat, 4), (linear, 1)])
def test_cameras_that_are_ready_are_detected_in_together_where_it_pays(
    cost: Cost, most_used: int
) -> None:
    timeline = Timeline()
    cameras, detector = four(timeline, frames=900), Taking(timeline, cost, batch=4)
    pipeline = Pipeline(detector, cameras, clock=timeline)
    for camera in cameras:
        camera.wait()
    timeline.forward(34)
    results = list(pipeline)
    assert Counter(detector.sizes)[most_used] > 0.95 * len(detector.sizes)
    for camera, report in zip(cameras, pipeline.reports(), strict=True):
        mine = [result for result in results if result.camera == camera.name]
        assert mine[-1].state is CameraState.ENDED
        assert len(mine) - 1 + sum(result.dropped for result in mine) == 900
        assert report.answers == len(mine) - 1
        assert report.answers == pytest.approx(900 / 30 / (cost(most_used) * 4e-3 / most_used), 0.1)


def test_a_camera_without_a_frame_is_not_waited_for_by_a_batch() -> None:
    timeline = Timeline()
    cameras, detector = four(timeline, frames=600), Taking(timeline, flat, batch=4)
    cameras[3].frames = 10
    settings = PipelineSettings(tracking=None)
    pipeline = Pipeline(detector, cameras, settings=settings, clock=timeline)
    for camera in cameras:
        camera.wait()
    timeline.forward(34)
    ages = [
        result.age_ms or 0
        for result in pipeline
        if result.camera != cameras[3].name and result.frame and result.frame.index < 598
    ]  # but for those that no newer frame follows
    assert max(ages) < 34 + 40
    assert Counter(detector.sizes)[3] > 300
