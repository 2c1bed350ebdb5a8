"""The simulated camera: frames come when they are due, and every fault does what it says."""

from itertools import islice

import numpy as np
import pytest

from stopline.runtime.sim import RoadCamera

SMALL = "sim://road?width=32&height=24&fps=10&density=0&seed=1"


class FakeTime:
    """A clock that moves only when somebody sleeps, or takes time to work."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.slept_s = 0.0

    def clock_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.work(seconds)

    def work(self, seconds: float) -> None:
        self.now_ns += round(1e9 * seconds)


def camera_of(faults: str, time: FakeTime) -> RoadCamera:
    return RoadCamera(f"{SMALL}&{faults}", clock_ns=time.clock_ns, sleep=time.sleep)


def test_live_frames_are_captured_at_the_rate_of_the_camera() -> None:
    time = FakeTime()
    with camera_of("frames=5", time) as camera:
        assert camera.live
        assert camera.fps == 10
        frames = list(camera)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    since = [(frame.captured_ns - frames[0].captured_ns) / 1e9 for frame in frames]
    assert since == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-6)
    assert {frame.camera for frame in frames} == {camera.name}


def test_a_slow_consumer_of_a_live_camera_misses_frames() -> None:
    time = FakeTime()
    indices = []
    for frame in islice(camera_of("", time), 4):
        indices.append(frame.index)
        time.work(0.25)
    assert indices == [0, 3, 6, 9]


def test_without_realtime_every_frame_comes_and_nobody_waits() -> None:
    time = FakeTime()
    camera = camera_of("realtime=0&frames=4", time)
    indices = []
    for frame in camera:
        indices.append(frame.index)
        time.work(5.0)
    assert not camera.live
    assert indices == [0, 1, 2, 3]
    assert time.slept_s == 0


def test_frames_show_what_the_truth_of_their_index_says() -> None:
    time = FakeTime()
    camera = camera_of("realtime=0&frames=3", time)
    for frame in camera:
        assert np.array_equal(frame.image, camera.truth(frame.index).image)


def test_a_stall_leaves_a_gap_in_time_and_in_the_indices() -> None:
    time = FakeTime()
    frames = list(camera_of("frames=9&stall=0.3:0.4", time))
    assert [frame.index for frame in frames] == [0, 1, 2, 7, 8]
    gap_s = (frames[3].captured_ns - frames[2].captured_ns) / 1e9
    assert gap_s == pytest.approx(0.5, abs=1e-6)


def test_a_stall_holds_up_a_stream_that_is_not_live_too() -> None:
    time = FakeTime()
    frames = list(camera_of("realtime=0&frames=9&stall=0.3:0.4", time))
    assert [frame.index for frame in frames] == [0, 1, 2, 7, 8]
    assert time.slept_s == pytest.approx(0.4)


def test_dropped_frames_are_missing_and_the_same_ones_for_the_same_seed() -> None:
    first = [frame.index for frame in camera_of("realtime=0&frames=40&drop=0.25", FakeTime())]
    second = [frame.index for frame in camera_of("realtime=0&frames=40&drop=0.25", FakeTime())]
    assert first == second
    assert 20 <= len(first) <= 38


def test_a_frozen_camera_gives_the_same_pixels_with_new_indices() -> None:
    frames = list(camera_of("frames=8&freeze=0.2:0.3", FakeTime()))
    assert [frame.index for frame in frames] == list(range(8))
    frozen = [frame.image for frame in frames[2:5]]
    assert all(np.array_equal(frozen[0], image) for image in frozen)
    assert not np.array_equal(frames[1].image, frozen[0])
    assert not np.array_equal(frames[5].image, frozen[0])
    assert len({frame.captured_ns for frame in frames}) == 8


def test_a_camera_that_dies_raises_what_a_dead_device_does() -> None:
    camera = camera_of("die_at=0.35", FakeTime())
    assert [frame.index for frame in islice(camera, 4)] == [0, 1, 2, 3]
    for _ in range(2):
        with pytest.raises(OSError, match="the camera is gone"):
            next(camera)


def test_a_resize_changes_the_frames_from_then_on() -> None:
    frames = list(camera_of("frames=4&resize_at=0.2:48x20", FakeTime()))
    assert [frame.image.shape for frame in frames] == [(24, 32, 3)] * 2 + [(20, 48, 3)] * 2


def test_a_stream_of_no_frames_ends_at_once() -> None:
    assert list(camera_of("frames=0", FakeTime())) == []


def test_a_closed_camera_gives_nothing_more() -> None:
    with camera_of("", FakeTime()) as camera:
        next(camera)
    assert list(camera) == []


def test_closing_ends_the_wait_for_a_frame() -> None:
    time = FakeTime()
    cameras: list[RoadCamera] = []

    def sleep_and_close(seconds: float) -> None:
        time.sleep(seconds)
        cameras[0].close()

    url = f"{SMALL}&stall=0.1:1000"
    cameras.append(RoadCamera(url, clock_ns=time.clock_ns, sleep=sleep_and_close))
    assert [frame.index for frame in cameras[0]] == [0]
    assert time.slept_s < 1
