"""What the reader of the results may turn while they come: pace, detector, cameras at rest."""

import threading
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.pace import Pace
from stopline.runtime.detector import Detector, Inference
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.clips import Hanging, Slow, Steady, Ticking, grey, until, write_clip
from tests.runtime.timeline import MS, Filler, Taking, Timeline, Told, four
from tests.runtime.tiny import red_square, tiny_bundle

CONNECTING, LIVE, STALE, LOST, ENDED = CameraState
AT_ONCE = PipelineSettings(close_within_s=0)


def looked_at(pace: Pace, fps: float, seconds: float) -> list[float]:
    """When, of a camera of so many frames a second."""
    times = [n / fps for n in range(round(seconds * fps))]
    kept = []
    for at_s in times:
        if pace.allows(round(at_s * 1e9)):
            pace.looked(round(at_s * 1e9))
            kept.append(at_s)
    return kept


@pytest.mark.parametrize(
    ("fps", "most_fps", "expected"),
    [(30, None, 300), (30, 40, 300), (30, 25, 250), (30, 10, 100), (30, 1, 10), (5, 4.5, 45)],
)
def test_a_pace_is_kept_on_average_whatever_the_camera_gives(
    fps: float, most_fps: float | None, expected: int
) -> None:
    pace = Pace()
    pace.set(most_fps)
    assert len(looked_at(pace, fps, 10)) == pytest.approx(expected, abs=1)


def test_after_a_silence_a_pace_allows_no_burst() -> None:
    pace = Pace()
    pace.set(10)
    pace.looked(0)
    pace.looked(5_000 * MS)
    assert not pace.allows(5_099 * MS)
    assert pace.allows(5_100 * MS)


def test_to_set_the_same_pace_again_changes_nothing_and_another_counts_at_once() -> None:
    pace = Pace()
    pace.set(1)
    pace.looked(0)
    pace.set(1)
    assert not pace.allows(999 * MS)
    pace.set(None)
    assert pace.allows(1)


@pytest.mark.parametrize("most_fps", [0.0, -5.0, float("nan")])
def test_a_pace_at_which_nothing_would_come_is_refused(most_fps: float) -> None:
    with pytest.raises(ValueError, match="wanted more than 0"):
        Pace().set(most_fps)


def test_live_cameras_keep_the_pace_and_what_they_lose_by_it_is_counted() -> None:
    cameras = [Steady(f"camera {n}", fps=100, frames=100) for n in range(2)]
    pipeline = Pipeline(Slow(), cameras)
    pipeline.pace(20)
    started, results = time.monotonic(), list(pipeline)
    lasted = time.monotonic() - started
    for camera, report in zip(cameras, pipeline.reports(), strict=True):
        mine = [result for result in results if result.camera == camera.name]
        assert 10 <= report.answers <= 20 * lasted + 2
        assert report.drops.paced > 30
        assert report.answers + sum(result.dropped for result in mine) == camera.given == 100
        assert LOST not in {result.state for result in mine}, "it is looked at often enough"


def test_a_file_is_read_whole_at_any_pace(tmp_path_factory: pytest.TempPathFactory) -> None:
    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", [grey(0)] * 5)
    pipeline = Pipeline(Slow(), clip)
    pipeline.pace(0.1)
    assert [result.state for result in pipeline] == [LIVE] * 5 + [ENDED]


def test_a_camera_at_rest_is_stale_then_lost_and_live_again_when_it_is_looked_at() -> None:
    timeline = Timeline()
    front, rear = Told("front", frames=200), Told("rear", frames=200)
    timeline.add(front, fps=30)
    timeline.add(rear, fps=30, first_ms=10)
    pipeline = Pipeline(Taking(timeline, lambda _: 40), [front, rear], clock=timeline)
    for camera in (front, rear):
        camera.wait()
    timeline.forward(34)
    began_ns, seen = timeline(), []
    for result in pipeline:
        at_s = (timeline() - began_ns) / 1e9
        seen.append((at_s, result))
        pipeline.rest(["rear"] if 1 <= at_s < 4 else [])
    rear_results = [(at_s, result) for at_s, result in seen if result.camera == "rear"]
    states = [result.state for at_s, result in rear_results if at_s > 1.1]
    assert states[:3] == [STALE, LOST, LIVE]
    assert set(states[3:-1]) == {LIVE}
    times = [at_s for at_s, result in rear_results if result.state is not LIVE]
    assert times[:2] == pytest.approx([1.5, 2.5], abs=0.15)
    assert {result.state for _, result in seen if result.camera == "front"} == {LIVE, ENDED}
    _, report = pipeline.reports()
    assert report.drops.rested == pytest.approx(3 * 30, abs=3)
    assert sum(result.dropped for _, result in rear_results) + report.answers == 200


def test_who_rests_when_its_camera_is_over_ends_with_every_frame_counted() -> None:
    resting, other = Ticking("resting"), Ticking("other")
    with Pipeline(Slow(), [resting, other], settings=AT_ONCE) as pipeline:
        pipeline.rest({"resting"})
        for _ in range(5):
            resting.tick()
        resting.end()
        other.tick()
        other.end()
        results = list(pipeline)
    mine = [result for result in results if result.camera == "resting"]
    assert [(result.state, result.dropped) for result in mine] == [(ENDED, 5)]
    report, _ = pipeline.reports()
    assert (report.drops.rested, report.resting, report.answers) == (5, True, 0)


def test_only_live_cameras_can_rest(tmp_path_factory: pytest.TempPathFactory) -> None:
    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", [grey(0)])
    with Pipeline(Slow(), [Hanging(), clip], settings=AT_ONCE) as pipeline:
        for name in (str(clip), "haning"):
            with pytest.raises(ValueError, match=r"no live camera .*there is hanging"):
                pipeline.rest([name])
        pipeline.rest(["hanging"])
        pipeline.rest([])


class Named(Slow):
    """A detector that says which one it is by the stages it tells."""

    def __init__(self, names: tuple[str, ...], stage: str) -> None:
        super().__init__()
        self.names, self._stage = names, stage

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        return super().detect(images)._replace(stages_ns={self._stage: 1})


def test_another_detector_is_used_from_the_next_frame_on() -> None:
    camera = Ticking()
    with Pipeline(Named(("car",), "first"), camera, settings=AT_ONCE) as pipeline:
        results = iter(pipeline)
        camera.tick()
        assert "first" in next(results).stages_ns
        pipeline.use(Named(("car",), "second"))
        camera.tick()
        assert "second" in next(results).stages_ns
        camera.end()


def test_a_detector_of_other_classes_is_refused_and_changes_nothing() -> None:
    camera = Ticking()
    with Pipeline(Named(("car",), "first"), camera, settings=AT_ONCE) as pipeline:
        with pytest.raises(ValueError, match="in place of one of"):
            pipeline.use(Named(("car", "bus"), "second"))
        camera.tick()
        assert "first" in next(iter(pipeline)).stages_ns
        camera.end()


def turned(seed: int) -> tuple[list[Told], list[Result], Pipeline]:
    """A run in which everything is turned all the time, with a deadline that is often missed."""
    timeline = Timeline()
    cameras = four(timeline, frames=400)
    cameras[3].frames = 150
    cost = 25 + 5 * seed
    pipeline = Pipeline(
        Taking(timeline, lambda images: cost + 5 * images, batch=4),
        [*cameras, Filler(cameras)],
        settings=PipelineSettings(deadline_s=0.06),
        clock=timeline,
    )
    for camera in cameras:
        camera.wait()
    timeline.forward(34)
    results = []
    for nth, result in enumerate(pipeline):
        if result.camera != "filler":
            results.append(result)
        pipeline.pace([None, 20, 7][(nth + seed) // 20 % 3])
        pipeline.rest([camera.name for camera in cameras[: (nth + seed) // 50 % 3]])
    return cameras, results, pipeline


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_turned_every_frame_is_shown_or_counted_once(seed: int) -> None:
    cameras, results, pipeline = turned(seed)
    kinds: Counter[str] = Counter()
    for camera, report in zip(cameras, pipeline.reports()[:-1], strict=True):
        mine = [result for result in results if result.camera == camera.name]
        shown = sum(result.frame is not None for result in mine)
        assert shown + sum(result.dropped for result in mine) == camera.given == camera.frames
        assert (shown, camera.frames - shown) == (report.answers, report.drops.total)
        missed = report.drops.missed + report.drops.late
        assert sum(result.missed for result in mine) == missed
        drops = report.drops
        kinds.update(replaced=drops.replaced, paced=drops.paced, rested=drops.rested, missed=missed)
    assert all(kinds.values()), "the run must show every kind of drop"
    assert all((result.age_ms or 0) <= 60 for result in results)


def test_the_loop_comes_round_while_nothing_happens() -> None:
    pipeline = Pipeline(Slow(), Hanging(), settings=AT_ONCE)
    reader = threading.Thread(target=lambda: list(pipeline))
    reader.start()
    until(lambda: pipeline.turns > 5)
    pipeline.stop()
    reader.join()


def test_a_class_is_told_from_another_score_on_and_as_before_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("scores")
    clip = write_clip(folder / "clip.mp4", [red_square((64, 96), (16, 8, 24, 16))] * 12)
    with Detector(tiny_bundle(folder / "tiny")) as detector, Pipeline(detector, clip) as pipeline:
        found = []
        for nth, result in enumerate(pipeline):
            found.append(len(result.detections))
            pipeline.report_from({"red": 1.0} if nth in (3, 4, 5) else {})
        assert found[:12] == [1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1]
        with pytest.raises(ValueError, match="no class stop"):
            pipeline.report_from({"stop": 0.5})
