"""IDF1 against the share of lost frames, ours beside a tracker of constant rate.

    pip install trackers motmetrics
    python benchmarks/tracking.py

Six simulated streets of 10 s at 30 fps, whose truth gives the detections: boxes with 3 % noise, one
in ten missed, a false one in every second frame. Frames are lost at random, the same for all.
`trackers` (Apache-2.0) has ByteTrack, once with its constant rate and once told the time of each
frame. IDF1 is motmetrics' (MIT), over objects of at least 12 pixels height and 30 % in view; the
figure of a column is the mean over the streets.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
import motmetrics
import numpy as np
import supervision
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from trackers import ByteTrackTracker

from stopline.devices.confusion import iou_matrix
from stopline.runtime.arrays import Boxes
from stopline.runtime.detections import Detections
from stopline.runtime.sim import CLASSES, Road, RoadSettings
from stopline.runtime.tracking.tracker import Tracker

FPS, SECONDS = 30, 10
SHARES = (0.0, 0.3, 0.5, 0.7)
STREETS = [(9, 1), (0, 2), (6, 1), (12, 1), (9, 2), (0, 1.5)]  # metres a second, density
SIGMA, MISSED, FALSE = 0.03, 0.1, 0.5

Ids = NDArray[np.integer[Any]]
Told = tuple[Boxes, Ids]
Track = Callable[[Detections, int], Told]  # detections and frame number → what it tells


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: the truth, and the detections made of it."""

    boxes: Boxes
    ids: Ids
    found: Detections


@click.command()
def main() -> None:
    """Print the table."""
    console = Console()
    streets = []
    for seed, (speed, density) in enumerate(STREETS):
        with console.status(f"rendering street {seed + 1} of {len(STREETS)}"):
            streets.append(_street(seed, speed, density))
    table = Table("frames lost", "stopline", "ByteTrack, constant rate", "ByteTrack, told the time")
    for share in SHARES:
        means = [
            statistics.fmean(_idf1(make(), street, share) for street in streets)
            for make in (_ours, lambda: _theirs(stamped=False), lambda: _theirs(stamped=True))
        ]
        table.add_row(f"{share:.0%}", *(f"{mean:.3f}" for mean in means))
    console.print(table)
    console.print(f"one step of ours: {_step_ms(streets[4]):.2f} ms, median, at 20 detections")


def _street(seed: int, speed: float, density: float) -> list[Seen]:
    settings = RoadSettings(width=640, height=360, seed=seed, speed_mps=speed, density=density)
    road, random = Road(settings), np.random.default_rng(seed)
    frames = []
    for index in range(FPS * SECONDS):
        view = road.view(index / FPS)
        tall = view.boxes[:, 3] - view.boxes[:, 1] >= 12
        kept = np.flatnonzero(tall & (view.visibility >= 0.3))
        classes = np.array([CLASSES.index(view.names[row]) for row in kept], np.int64)
        found = _detections(view.boxes[kept], classes, random)
        frames.append(Seen(view.boxes[kept].astype(np.float64), view.ids[kept], found))
    return frames


def _detections(boxes: Boxes, classes: Ids, random: np.random.Generator) -> Detections:
    size = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1, keepdims=True)
    noisy = boxes + random.normal(0, SIGMA, boxes.shape) * size
    scores = np.clip(random.normal(0.7, 0.15, len(boxes)), 0.1, 1)
    hit = random.random(len(boxes)) > MISSED
    count = random.poisson(FALSE)
    centre, half = random.uniform(0, (640, 360), (count, 2)), random.uniform(8, 30, (count, 2))
    every = np.concatenate((noisy[hit], np.hstack((centre - half, centre + half))))
    scores = np.concatenate((scores[hit], random.uniform(0.1, 0.6, count)))
    classes = np.concatenate((classes[hit], random.integers(len(CLASSES), size=count)))
    order = np.argsort(-scores)
    return Detections(
        every[order].astype(np.float32), scores[order].astype(np.float32), classes[order], CLASSES
    )


def _ours() -> Track:
    tracker = Tracker()

    def track(found: Detections, index: int) -> Told:
        ids = tracker(found, round(index * 1e9 / FPS))
        return found.boxes[ids > 0], ids[ids > 0]

    return track


def _theirs(stamped: bool) -> Track:
    tracker = ByteTrackTracker(
        frame_rate=FPS,
        track_activation_threshold=0.5,
        high_conf_det_threshold=0.5,
        minimum_consecutive_frames=3,
    )

    def track(found: Detections, index: int) -> Told:
        detections = supervision.Detections(
            xyxy=np.asarray(found.boxes),
            confidence=np.asarray(found.scores),
            class_id=np.asarray(found.classes),
        )
        told = tracker.update(detections, timestamp=index / FPS if stamped else None)
        known = told.tracker_id >= 0
        return told.xyxy[known], told.tracker_id[known]

    return track


def _idf1(track: Track, street: Sequence[Seen], share: float) -> float:
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    kept = np.random.default_rng(100).random(len(street)) >= share
    for index in np.flatnonzero(kept):
        seen = street[index]
        boxes, ids = track(seen.found, int(index))
        apart = 1 - iou_matrix(seen.boxes, boxes.astype(np.float64))
        accumulator.update(seen.ids, ids, np.where(apart <= 0.5, apart, np.nan))
    summary = motmetrics.metrics.create().compute(accumulator, metrics=["idf1"])
    return float(summary["idf1"].iloc[0])


def _step_ms(street: Sequence[Seen]) -> float:
    tracker, took = Tracker(), []
    for index, seen in enumerate(street):
        few = seen.found
        few = Detections(few.boxes[:20], few.scores[:20], few.classes[:20], few.names)
        started = time.perf_counter()
        tracker(few, round(index * 1e9 / FPS))
        took.append((time.perf_counter() - started) * 1e3)
    return statistics.median(took)


if __name__ == "__main__":
    main()
