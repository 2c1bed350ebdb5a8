"""Four cameras of 30 frames a second and one model that cannot keep up, and one camera hung.

    python benchmarks/many_cameras.py CLIP [BUNDLE] [--rounds 5] [--seconds 10]

The cameras give frames of CLIP from memory, each by its own clock, so that only the model is short.
Rounds alternate A B A B: in A four cameras work, in B the last of them hangs after a second; the
ratio is of the ages of the other three, once as they were and once as if every inference had taken
as long as the median one, for other work on the machine holds up some in one round only. Where the
bundle takes more than one image, it also says what a batch costs beside one image, and how many the
pipeline then ran at once.
"""

import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import cv2

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.detector import Detector, DetectorSettings, Inference
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from stopline.runtime.sinks.tally import percentile

FPS = 30
CAMERAS = 4
OVER = (CameraState.ENDED, CameraState.LOST)


class FromMemory(Closing):
    """A live camera; with `hangs_after` it gives no more frames after so many, and no end."""

    live = True

    def __init__(self, nth: int, images: list[Image], frames: int, hangs_after: int | None) -> None:
        self.name = f"camera {nth}"
        self.fps: float | None = FPS + 0.07 * nth  # clocks are never quite the same
        self.given = 0
        self._images, self._frames, self._hangs_after = images, frames, hangs_after
        self._starts_s = time.monotonic() + 0.007 * nth

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            if index == self._hangs_after:
                threading.Event().wait()
            due_s = self._starts_s + index / (self.fps or FPS)
            time.sleep(max(0.0, due_s - time.monotonic()))
            image = self._images[index % len(self._images)]
            self.given += 1
            yield Frame(self.name, index, time.monotonic_ns(), image)

    def close(self) -> None:
        """Nothing is held."""


class Counted:
    """A detector that also counts the sizes of its batches and times its runs."""

    def __init__(self, detector: Detector) -> None:
        self.names, self.batch, self.min_score = detector.names, detector.batch, detector.min_score
        self.sizes: Counter[int] = Counter()
        self.took_ms: list[float] = []
        self._detector = detector

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        """As the detector does."""
        found = self._detector.detect(images, least_score)
        self.sizes[len(images)] += 1
        self.took_ms.append(sum(found.stages_ns.values()) / 1e6)
        return found


def images_of(clip: str, count: int) -> list[Image]:
    """The first so many frames."""
    capture, images = cv2.VideoCapture(clip, cv2.CAP_FFMPEG), []
    while len(images) < count and (read := capture.read())[0]:
        images.append(read[1])
    capture.release()
    return images


def one_round(
    detector: Detector, images: list[Image], seconds: float, hung: bool
) -> dict[str, Any]:
    """What four cameras got in that time."""
    frames, counted = round(FPS * seconds), Counted(detector)
    hangs_after = [None] * (CAMERAS - 1) + [FPS if hung else None]
    cameras = [FromMemory(n, images, frames, after) for n, after in enumerate(hangs_after)]
    results: list[Result] = []
    with Pipeline(counted, cameras, settings=PipelineSettings(close_within_s=0)) as pipeline:
        for result in pipeline:
            results.append(result.without_image())
            if all(report.state in OVER for report in pipeline.reports()):
                break
    # A camera's last frame is not in: no newer one can replace it while it waits.
    shown = [r for r in results if r.frame is not None and r.frame.index < frames - 1]
    answers = sum(result.frame is not None for result in results)
    return {
        "ages_ms": [r.age_ms for r in shown],
        "others_ms": [r.age_ms for r in shown if r.camera != cameras[-1].name],
        "others_level_ms": [level_ms(r, counted) for r in shown if r.camera != cameras[-1].name],
        "took_ms": counted.took_ms,
        "sizes": counted.sizes,
        "sent": sum(camera.given for camera in cameras),
        "answers": answers,
        "unaccounted": sum(camera.given for camera in cameras)
        - answers
        - sum(result.dropped for result in results),
    }


def level_ms(result: Result, counted: Counted) -> float:
    """Its age, had the inference taken as long as the median one."""
    took_ns = sum(result.stages_ns[stage] for stage in ("letterbox", "engine", "nms"))
    return (result.age_ms or 0) - took_ns / 1e6 + statistics.median(counted.took_ms)


def batch_costs(detector: Detector, images: list[Image], tries: int = 15) -> dict[int, float]:
    """Milliseconds of runs of 1, 2, 4, … images, in turn, medians."""
    sizes = [size for size in (1, 2, 4, 8, 16) if size <= detector.batch]
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(tries):
        for size in sizes:
            started = time.monotonic()
            detector.detect(images[:size])
            took[size].append((time.monotonic() - started) * 1e3)
    return {size: statistics.median(times[1:]) for size, times in took.items()}


def p99(values: list[float]) -> float:
    """Of at least one."""
    found = percentile(values, 0.99)
    assert found is not None
    return found


def report_of(working: list[dict[str, Any]], hung: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the rounds."""
    ages = [age for one in working for age in one["ages_ms"]]
    took = [ms for one in working for ms in one["took_ms"]]
    rounds = list(zip(working, hung, strict=True))
    ratios = [p99(b["others_ms"]) / p99(a["others_ms"]) for a, b in rounds]
    level = [p99(b["others_level_ms"]) / p99(a["others_level_ms"]) for a, b in rounds]
    return {
        "rounds": len(working),
        "sent": sum(one["sent"] for one in working),
        "answers": sum(one["answers"] for one in working),
        "ages": len(ages),
        "unaccounted": sum(one["unaccounted"] for one in working + hung),
        "inference_p50_ms": percentile(took, 0.5),
        "inference_p99_ms": p99(took),
        "age_p50_ms": percentile(ages, 0.5),
        "age_p99_ms": p99(ages),
        "limit_ms": 2 * 1000 / FPS + p99(took),
        "batches": dict(sum((one["sizes"] for one in working), Counter[int]())),
        "others_p99_ms": statistics.median(p99(one["others_ms"]) for one in working),
        "others_p99_ms_one_hung": statistics.median(p99(one["others_ms"]) for one in hung),
        "hung_ratios": [round(ratio, 3) for ratio in ratios],
        "hung_ratio": statistics.median(ratios),
        "hung_ratios_level": [round(ratio, 3) for ratio in level],
        "hung_ratio_level": statistics.median(level),
    }


@click.command()
@click.argument("clip", type=click.Path(exists=True))
@click.argument("bundle", default="road-nano")
@click.option("--rounds", default=5)
@click.option("--seconds", default=10.0)
@click.option("--threads", type=int)
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(clip: str, bundle: str, rounds: int, seconds: float, **options: Any) -> None:
    """Measure BUNDLE on frames of CLIP."""
    cv2.setNumThreads(1)  # as `stopline run` does
    images = images_of(clip, 60)
    settings = DetectorSettings(backend="onnxruntime", threads=options["threads"])
    with Detector(bundle, settings=settings) as detector:
        costs = batch_costs(detector, images)
        working, hung = [], []
        for _ in range(rounds):
            working.append(one_round(detector, images, seconds, hung=False))
            hung.append(one_round(detector, images, seconds, hung=True))
    report = report_of(working, hung) | {"bundle": bundle, "batch_ms": costs}
    click.echo(json.dumps(report, indent=2))
    if options["json_path"] is not None:
        options["json_path"].write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
