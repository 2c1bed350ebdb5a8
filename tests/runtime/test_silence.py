"""What a camera's silence means, and what fails or hangs, on a clock that the test moves."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera_state import Patience, state_after
from stopline.runtime.detector import Inference
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.clips import Hanging, Slow, Steady, Ticking, until

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
        def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
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
