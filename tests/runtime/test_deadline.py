"""Nothing older than the deadline is shown as what a camera sees, and what is missed is told."""

import pytest

from stopline.runtime.frame import CameraState, Result
from stopline.runtime.pipeline import CameraReport, Pipeline, PipelineSettings
from tests.runtime.clips import Slow, grey, write_clip
from tests.runtime.timeline import MS, Filler, Taking, Timeline, Told, four

LIVE, STALE, ENDED = CameraState.LIVE, CameraState.STALE, CameraState.ENDED


def run(
    cameras: list[Told], timeline: Timeline, cost_ms: float, deadline_s: float | None
) -> tuple[list[Result], list[CameraReport]]:
    """All results of cameras whose first frames are there."""
    settings = PipelineSettings(deadline_s=deadline_s)
    detector = Taking(timeline, lambda images: cost_ms * images)
    filler = Filler(cameras)
    pipeline = Pipeline(detector, [*cameras, filler], settings=settings, clock=timeline)
    for camera in cameras:
        camera.wait()
    timeline.forward(34)
    results = [result for result in pipeline if result.camera != filler.name]
    return results, pipeline.reports()[:-1]


def shown_too_late(results: list[Result], deadline_s: float) -> list[Result]:
    """What the deadline is against."""
    live = (result for result in results if result.state is LIVE)
    return [result for result in live if result.age_ns is None or result.age_ns > deadline_s * 1e9]


def test_a_detector_slower_than_the_deadline_gives_only_stale_results_that_say_missed() -> None:
    timeline = Timeline()
    camera = Told("camera", frames=120)
    timeline.add(camera, fps=30)
    results, [report] = run([camera], timeline, cost_ms=120, deadline_s=0.1)
    *misses, end = results
    assert len(misses) > 10
    assert {(result.state, result.missed) for result in misses} == {(STALE, 1)}
    assert all(result.frame is None and not len(result.detections) for result in results)
    assert all(result.age_ns is None for result in results)
    assert end.state is ENDED
    assert sum(result.dropped for result in results) == 120
    assert report.answers == 0
    assert report.drops.missed + report.drops.late == len(misses) + end.missed


def test_a_missed_answer_tells_where_its_time_went() -> None:
    timeline = Timeline()
    camera = Told("camera", frames=20)
    timeline.add(camera, fps=30)
    results, _ = run([camera], timeline, cost_ms=120, deadline_s=0.1)
    assert results[1].stages_ns["engine"] == 120 * MS
    assert sum(results[1].stages_ns.values()) > 100 * MS


@pytest.mark.parametrize("deadline_s", [0.03, 0.04, 0.05])
def test_of_many_cameras_nothing_too_old_is_live_and_all_frames_are_accounted_for(
    deadline_s: float,
) -> None:
    timeline = Timeline()
    cameras = four(timeline, frames=300)
    results, reports = run(cameras, timeline, cost_ms=25, deadline_s=deadline_s)
    assert shown_too_late(results, deadline_s) == []
    for camera, report in zip(cameras, reports, strict=True):
        mine = [result for result in results if result.camera == camera.name]
        shown = [result for result in mine if result.frame]
        missed = sum(result.missed for result in mine)
        assert len(shown) > 5
        assert missed > 5
        assert len(shown) + sum(result.dropped for result in mine) == 300
        assert report.drops.missed + report.drops.late == missed
        assert (report.answers, report.drops.total) == (len(shown), 300 - len(shown))


def test_without_a_deadline_the_same_run_shows_what_is_too_old() -> None:
    timeline = Timeline()
    results, _ = run(four(timeline, frames=300), timeline, cost_ms=25, deadline_s=None)
    assert shown_too_late(results, 0.04)
    assert sum(result.missed for result in results) == 0


def test_a_frame_that_waited_beyond_the_deadline_is_not_even_looked_at() -> None:
    timeline = Timeline()
    slow, quick = Told("slow", frames=12), Told("quick", frames=120)
    timeline.add(slow, fps=3, first_ms=1)
    timeline.add(quick, fps=30, first_ms=0)
    results, [report, _] = run([slow, quick], timeline, cost_ms=60, deadline_s=0.05)
    late = [result for result in results if "engine" not in result.stages_ns and result.missed]
    assert report.drops.late > 0
    assert len([result for result in late if result.camera == "slow"]) == report.drops.late
    assert all(result.state in (STALE, ENDED) for result in late)
    assert shown_too_late(results, 0.05) == []


def test_a_file_does_not_age(tmp_path_factory: pytest.TempPathFactory) -> None:
    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", [grey(0)] * 3)
    results = list(Pipeline(Slow(0.01), clip, settings=PipelineSettings(deadline_s=0.001)))
    assert [result.state for result in results] == [LIVE] * 3 + [ENDED]


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, float("nan")])
def test_a_deadline_that_nothing_can_meet_is_refused(deadline_s: float) -> None:
    with pytest.raises(ValueError, match="wanted more than 0"):
        PipelineSettings(deadline_s=deadline_s)


def test_a_machine_so_slow_that_cameras_fall_silent_says_missed_and_not_only_stale() -> None:
    timeline = Timeline()
    camera = Told("camera", frames=40)
    timeline.add(camera, fps=1)
    results, [report] = run([camera], timeline, cost_ms=700, deadline_s=0.1)
    assert report.answers == report.drops.stale == 0
    assert sum(result.missed for result in results) == report.drops.missed + report.drops.late == 40
