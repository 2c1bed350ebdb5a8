"""The newest frame wins, nothing is lost uncounted, and a camera that is not LIVE shows nothing."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from stopline.runtime.cameras.camera_state import Patience, state_after
from stopline.runtime.closing import Closing
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.clips import (
    Hanging,
    Slow,
    Steady,
    Ticking,
    grey,
    noisy_clip,
    until,
    write_clip,
)
from tests.runtime.tiny import red_square, tiny_bundle

CONNECTING, LIVE, STALE, LOST, ENDED = CameraState
MS = 1_000_000
AT_ONCE = PipelineSettings(close_within_s=0)  # for cameras that the test leaves waiting


def states(results: list[Result]) -> list[CameraState]:
    return [result.state for result in results]


@pytest.mark.parametrize(
    ("silence_ms", "state"),
    [(None, CONNECTING), (0, LIVE), (499, LIVE), (500, STALE), (1499, STALE), (1500, LOST)],
)
def test_the_state_of_a_camera_is_how_long_it_was_silent(
    silence_ms: int | None, state: CameraState
) -> None:
    silence_ns = None if silence_ms is None else silence_ms * MS
    assert state_after(silence_ns, Patience(0.5, 1.5)) is state


def test_thresholds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="stale_after_s <= lost_after_s"):
        Patience(stale_after_s=2, lost_after_s=1)


@pytest.mark.parametrize(("fps", "stale_after_s"), [(None, 0.5), (30, 0.5), (4, 0.5), (1, 2)])
def test_a_camera_of_few_frames_is_not_stale_between_two(
    fps: float | None, stale_after_s: float
) -> None:
    patience = Patience(0.5, 1.5, 10).at_rate(fps)
    assert patience.stale_after_s == stale_after_s
    assert patience.lost_after_s == 3 * stale_after_s


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


class Hand:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, ms: int) -> None:
        self.now_ns += ms * MS


def ticked(camera: Ticking, clock: Hand, results: Iterator[Result]) -> Result:
    """The next result, of a frame that is captured now."""
    camera.tick(clock.now_ns)
    return next(results)


def test_a_silent_camera_is_stale_then_lost_and_live_again_with_its_next_frame() -> None:
    camera, clock = Ticking(), Hand()
    with Pipeline(Slow(), camera, settings=AT_ONCE, clock=clock) as pipeline:
        results = iter(pipeline)
        first = ticked(camera, clock, results)
        clock.forward(600)
        stale = next(results)
        clock.forward(1000)
        lost = next(results)
        again = ticked(camera, clock, results)
    assert states([first, stale, lost, again]) == [LIVE, STALE, LOST, LIVE]
    for event in (stale, lost):
        assert event.frame is None
        assert len(event.detections) == 0
        assert event.age_ns is None
    assert again.frame is not None
    assert again.frame.index == 1


def test_a_camera_silent_for_too_long_is_given_up_and_the_run_ends() -> None:
    camera, clock = Ticking(), Hand()
    with Pipeline(Slow(), camera, settings=AT_ONCE, clock=clock) as pipeline:
        results = iter(pipeline)
        ticked(camera, clock, results)
        clock.forward(10_000)
        assert states(list(results)) == [LOST]
        [report] = pipeline.reports()
    assert "gave no frame for 10.0 s" in str(report.error)
    camera.tick()  # lets its thread go
    until(camera.closed.is_set)


def test_a_camera_that_never_connects_is_given_up_too() -> None:
    clock = Hand()
    with Pipeline(Slow(), Hanging(), settings=AT_ONCE, clock=clock) as pipeline:
        results = iter(pipeline)
        threading.Timer(0.1, clock.forward, [10_000]).start()
        assert states(list(results)) == [LOST]


def test_a_frame_that_went_stale_while_it_was_detected_in_is_not_published() -> None:
    camera, clock = Ticking(), Hand()

    class SlowByHand(Slow):
        def detect(self, images):  # type: ignore[no-untyped-def]
            clock.forward(700)
            return super().detect(images)

    with Pipeline(SlowByHand(), camera, settings=AT_ONCE, clock=clock) as pipeline:
        results = iter(pipeline)
        result = ticked(camera, clock, results)
    assert result.state is STALE
    assert result.frame is None
    assert result.dropped == 1


def test_a_camera_that_fails_is_lost_and_says_why_while_others_go_on() -> None:
    failing, steady = Ticking("failing"), Steady("steady", fps=100, frames=40)
    failing.tick()
    failing.end(OSError("unplugged"))
    pipeline = Pipeline(Slow(), [failing, steady])
    results = list(pipeline)
    mine = [result for result in results if result.camera == "failing"]
    assert states(mine) == [LIVE, LOST]
    assert sum(r.camera == "steady" and r.frame is not None for r in results) > 20
    reports = {report.name: report for report in pipeline.reports()}
    assert str(reports["failing"].error) == "unplugged"
    assert reports["steady"].error is None
    assert reports["steady"].state is ENDED


def test_a_mistake_in_a_cameras_code_is_raised_and_not_called_a_lost_camera() -> None:
    camera = Ticking()
    camera.end(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(Pipeline(Slow(), camera))


def test_a_hanging_camera_does_not_keep_the_pipeline_from_closing() -> None:
    steady = Steady("steady", fps=100, frames=1000)
    settings = PipelineSettings(close_within_s=0.2)
    pipeline = Pipeline(Slow(), [Hanging(), steady], settings=settings)
    for result in pipeline:
        assert result.camera == "steady"
        break
    started = time.monotonic()
    pipeline.close()
    assert time.monotonic() - started < 2
    assert pipeline.hangs
    [report, _] = pipeline.reports()
    assert report.state is CONNECTING


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
    fps: float | None = 100.0

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
