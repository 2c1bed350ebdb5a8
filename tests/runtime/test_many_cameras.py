"""Four cameras of 30 frames a second and a detector that cannot keep up, in real time.

All runs go at the same time and on the same schedule, with a detector that sleeps: what else the
machine does falls on all of them, so that their ages can be compared.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.detector import Inference
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from stopline.runtime.sinks.tally import percentile
from tests.runtime.clips import Slow, grey
from tests.runtime.naive import queueing, waiting_for_all

ENDED, LOST = CameraState.ENDED, CameraState.LOST
FRAMES = 150  # of each camera: 5 s
INFERENCE_S = 0.022  # one image; four cameras would need 2.6 s of it in a second
OTHERS = ("camera 0", "camera 1", "camera 2")


class Scheduled(Closing):
    """Gives its frames at given times, and after `hangs_after` of them no more, nor an end."""

    live: bool = True

    def __init__(self, nth: int, starts_s: float, hangs_after: int | None = None) -> None:
        self.name = f"camera {nth}"
        self.fps: float | None = 30 + 0.07 * nth  # clocks are never quite the same
        self.given = 0
        self._starts_s = starts_s + 0.007 * nth
        self._hangs_after = hangs_after

    def __iter__(self) -> Iterator[Frame]:
        for index in range(FRAMES):
            if index == self._hangs_after:
                threading.Event().wait()
            time.sleep(max(0.0, self._starts_s + index / (self.fps or 30) - time.monotonic()))
            self.given += 1
            yield Frame(self.name, index, time.monotonic_ns(), grey(0))

    def close(self) -> None:
        pass


class Timed(Slow):
    """Also says how long an inference really took, on a machine that does other things too."""

    def __init__(self) -> None:
        super().__init__(INFERENCE_S)
        self.took_ms: list[float] = []

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        started = time.monotonic_ns()
        found = super().detect(images)
        took_ns = time.monotonic_ns() - started
        self.took_ms.append(took_ns / 1e6)
        return found._replace(stages_ns={"engine": took_ns})


@dataclass
class Run:
    """Of one way to serve four cameras."""

    cameras: list[Scheduled]
    detector: Timed
    results: list[Result]

    @property
    def shown(self) -> list[Result]:
        """Results with a frame, but for a camera's last, which no newer one can replace."""
        return [r for r in self.results if r.frame and r.frame.index < FRAMES - 1]


Serve = Callable[[list[Scheduled], Timed], list[Result]]


def pipelined(cameras: list[Scheduled], detector: Timed) -> list[Result]:
    """Ours, until every camera is over or known to be lost."""
    results = []
    with Pipeline(detector, cameras, settings=PipelineSettings(close_within_s=0)) as pipeline:
        for result in pipeline:
            results.append(result)
            if {report.state for report in pipeline.reports()} <= {ENDED, LOST}:
                break
    return results


SECONDS = FRAMES / 30 + 0.5
WAYS: dict[str, tuple[Serve, bool]] = {  # and whether the last camera hangs
    "ours": (pipelined, False),
    "ours, one hung": (pipelined, True),
    "queueing": (partial(queueing, seconds=SECONDS), False),
    "waiting": (partial(waiting_for_all, seconds=SECONDS), False),
    "waiting, one hung": (partial(waiting_for_all, seconds=SECONDS), True),
}


def all_at_once() -> dict[str, Run]:
    """Every way, in a thread of its own."""
    starts_s, runs, threads = time.monotonic() + 0.2, {}, []
    for name, (serve, hangs) in WAYS.items():
        hangs_after = [None, None, None, 30 if hangs else None]
        cameras = [Scheduled(n, starts_s, after) for n, after in enumerate(hangs_after)]
        run = runs[name] = Run(cameras, Timed(), [])

        def serving(run: Run = run, serve: Serve = serve) -> None:
            run.results += serve(run.cameras, run.detector)

        threads.append(threading.Thread(target=serving))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runs


@pytest.fixture(scope="module")
def repeats() -> list[dict[str, Run]]:
    return [all_at_once() for _ in range(3)]


def p99(values: Iterable[float]) -> float:
    """Of some."""
    found = percentile(list(values), 0.99)
    assert found is not None
    return found


def late_ms(run: Run) -> float:
    """By how much p99 of age exceeds two frame intervals and one inference; negative is well."""
    inference_ms = p99(run.detector.took_ms)
    return p99(result.age_ms or 0 for result in run.shown) - 2 * 1000 / 30 - inference_ms


def others_ms(run: Run) -> float:
    """p99 of age of those that never hang, had each inference taken the time that it should.

    Other work on the machine holds up some sleeps, in one run more than in another.
    """
    ages_ns = ((r.age_ns or 0) - r.stages_ns["engine"] for r in run.shown if r.camera in OTHERS)
    return p99(ages_ns) / 1e6 + INFERENCE_S * 1e3


def unaccounted(run: Run) -> int:
    """Frames that were sent, and neither shown nor counted as dropped."""
    shown = sum(result.frame is not None for result in run.results)
    dropped = sum(result.dropped for result in run.results)
    return sum(camera.given for camera in run.cameras) - shown - dropped


def hold_up(repeats: list[dict[str, Run]], way: str) -> float:
    """How much older the others' answers get, in p99, when one camera of four hangs."""
    return statistics.median(
        others_ms(runs[f"{way}, one hung"]) / others_ms(runs[way]) for runs in repeats
    )


def test_no_answer_is_older_than_two_frames_and_an_inference(repeats: list[dict[str, Run]]) -> None:
    assert statistics.median(late_ms(runs["ours"]) for runs in repeats) < 0


def test_in_a_queue_answers_are_seconds_old(repeats: list[dict[str, Run]]) -> None:
    assert statistics.median(late_ms(runs["queueing"]) for runs in repeats) > 1000


@pytest.mark.parametrize("way", ["ours", "ours, one hung"])
def test_every_frame_that_was_sent_is_shown_or_counted(
    repeats: list[dict[str, Run]], way: str
) -> None:
    for runs in repeats:
        assert sum(result.dropped for result in runs[way].results) > FRAMES, "it cannot keep up"
        assert unaccounted(runs[way]) == 0


def test_who_does_not_count_what_is_dropped_is_found_out(repeats: list[dict[str, Run]]) -> None:
    assert all(unaccounted(runs["waiting"]) > 0 for runs in repeats)


def test_a_camera_that_hangs_does_not_make_the_others_late(repeats: list[dict[str, Run]]) -> None:
    assert hold_up(repeats, "ours") < 1.1


def test_who_waits_for_the_camera_that_hangs_is_found_out(repeats: list[dict[str, Run]]) -> None:
    assert hold_up(repeats, "waiting") > 1.1
