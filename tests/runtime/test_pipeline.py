"""The newest frame wins, nothing is lost uncounted, and a camera that is not LIVE shows nothing."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from stopline.runtime.closing import Closing
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.clips import Slow, Steady, Ticking, grey, noisy_clip, until, write_clip
from tests.runtime.tiny import red_square, tiny_bundle

CONNECTING, LIVE, STALE, LOST, ENDED = CameraState
MS = 1_000_000
AT_ONCE = PipelineSettings(close_within_s=0)  # for cameras that the test leaves waiting


def states(results: list[Result]) -> list[CameraState]:
    return [result.state for result in results]


def test_a_file_gives_every_frame_and_then_ends(tmp_path: Path) -> None:
    images = [red_square((64, 96), (8 * i, 8, 8 * i + 8, 16)) for i in range(12)]
    clip = write_clip(tmp_path / "clip.mp4", images)
    settings = DetectorSettings("onnxruntime")
    with Detector(tiny_bundle(tmp_path / "tiny"), settings=settings) as detector:
        results = list(Pipeline(detector, clip))
    assert states(results) == [LIVE] * 12 + [ENDED]
    assert [r.frame.index for r in results if r.frame] == list(range(12))
    assert sum(result.dropped for result in results) == 0
    for nth, result in enumerate(results[:-1]):
        assert result.detections.boxes[0] == pytest.approx((8 * nth, 8, 8 * nth + 8, 16))


def test_the_stages_add_up_to_the_age(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(0)] * 3)
    with Detector(tiny_bundle(tmp_path / "tiny")) as detector:
        first, *_, end = Pipeline(detector, [clip])
    assert list(first.stages_ns) == ["decode", "letterbox", "engine", "nms", "track", "publish"]
    assert all(took >= 0 for took in first.stages_ns.values())
    assert first.age_ns == sum(first.stages_ns.values())
    assert (end.age_ns, end.age_ms, end.stages_ns) == (None, None, {})


def test_a_truncated_file_is_lost_after_what_it_had_and_says_why(tmp_path: Path) -> None:
    whole = noisy_clip(tmp_path / "whole.avi", 30).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    pipeline = Pipeline(Slow(), tmp_path / "cut.avi")
    results = list(pipeline)
    assert states(results)[-2:] == [LIVE, LOST]
    assert "cut short" in str(pipeline.reports()[0].error)


def test_of_several_files_each_gets_its_turn(tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / f"{n}.mp4", [grey(n)] * 4) for n in range(3)]
    results = list(Pipeline(Slow(0.001), clips))
    names = [result.camera for result in results if result.frame]
    assert names == [str(clip) for clip in clips] * 4
    assert states(results).count(ENDED) == 3


def test_the_same_source_twice_is_two_cameras(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(0)] * 2)
    results = list(Pipeline(Slow(), [clip, clip]))
    assert {result.camera for result in results} == {str(clip), f"{clip} #2"}
    assert {r.frame.camera for r in results if r.frame} == {str(clip), f"{clip} #2"}


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="name at least one"):
        Pipeline(Slow(), [])


def test_a_file_that_is_not_there_is_refused_before_any_camera_is_touched() -> None:
    with pytest.raises(OSError, match="no file"):
        Pipeline(Slow(), [Ticking("untouched"), "nowhere.mp4"])
    assert not any(thread.name == "camera untouched" for thread in threading.enumerate())


def test_a_slow_detector_sees_the_newest_frames_and_counts_the_rest() -> None:
    camera = Steady("steady", fps=200, frames=100)
    results = list(Pipeline(Slow(0.02), camera))
    served = [result for result in results if result.frame]
    assert states(results)[-1] is ENDED
    assert len(served) < 60
    assert len(served) + sum(result.dropped for result in results) == camera.given
    # 20 ms of inference after at most one 20 ms wait; the rest is a busy machine.
    assert sorted(result.age_ns or 0 for result in served)[len(served) // 2] < 45 * MS


def test_drops_of_many_cameras_add_up_and_nobody_starves() -> None:
    cameras = [Steady(f"camera {n}", fps=100 * (n + 1), frames=60) for n in range(3)]
    results = list(Pipeline(Slow(0.005), cameras))
    for camera in cameras:
        mine = [result for result in results if result.camera == camera.name]
        served = sum(result.frame is not None for result in mine)
        assert served >= 10
        assert served + sum(result.dropped for result in mine) == 60


def test_leaving_the_loop_gives_the_cameras_back() -> None:
    camera = Ticking()
    camera.tick()
    for _ in Pipeline(Slow(), camera):
        camera.tick()
        break
    until(camera.closed.is_set)


def test_stopping_ends_the_iteration_while_no_frame_comes() -> None:
    camera = Ticking()
    pipeline = Pipeline(Slow(), camera, settings=AT_ONCE)
    threading.Timer(0.1, pipeline.stop).start()
    assert list(pipeline) == []
    camera.tick()


def test_a_file_in_real_time_takes_its_time_and_drops_what_comes_too_fast(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(0)] * 20, fps=50)
    started = time.monotonic()
    results = list(Pipeline(Slow(0.05), clip, settings=PipelineSettings(realtime=True)))
    assert time.monotonic() - started >= 19 / 50
    served = [result for result in results if result.frame]
    assert len(served) < 15
    assert len(served) + sum(result.dropped for result in results) == 20
    assert states(results)[-1] is ENDED


class Recorded(Closing):
    """A camera of someone's own making that is not live."""

    name: str = "recorded"
    live: bool = False
    fps: float | None = 10.0

    def __iter__(self) -> Iterator[Frame]:
        for index in (0, 1, 5):
            yield Frame(self.name, index, time.monotonic_ns(), grey(0))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("realtime", [False, True])
def test_any_object_that_is_a_camera_is_a_source_and_its_own_skips_count(realtime: bool) -> None:
    results = list(Pipeline(Slow(), Recorded(), settings=PipelineSettings(realtime=realtime)))
    assert [(r.frame.index, r.dropped) for r in results if r.frame] == [(0, 0), (1, 0), (5, 3)]


def test_objects_of_a_file_are_numbered_by_the_time_of_the_recording(tmp_path: Path) -> None:
    images = [red_square((64, 96), (16, 8, 24, 16))] * 15
    clip = write_clip(tmp_path / "clip.mp4", images)
    with Detector(tiny_bundle(tmp_path / "tiny")) as detector:
        results = [result for result in Pipeline(detector, clip) if result.frame]
    told = [found.track for result in results for found in result.detections]
    assert told[0] is None  # seen once is no track yet
    assert set(told) == {None, 1}
    assert told[-1] == 1


def test_stills_and_whoever_does_not_track_get_no_numbers(tmp_path: Path) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    for nth in range(8):
        cv2.imwrite(str(stills / f"{nth}.png"), red_square((64, 96), (16, 8, 24, 16)))
    clip = write_clip(tmp_path / "clip.mp4", [red_square((64, 96), (16, 8, 24, 16))] * 8)
    untracked = PipelineSettings(tracking=None)
    with Detector(tiny_bundle(tmp_path / "tiny")) as detector:
        for source, settings in ((stills, PipelineSettings()), (clip, untracked)):
            results = list(Pipeline(detector, source, settings=settings))
            assert sum(len(result.detections) for result in results) == 8
            assert all(result.detections.tracks is None for result in results)
