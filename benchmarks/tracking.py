"""HOTA and IDF1 against the share of lost frames, ours beside a tracker of constant rate.

    pip install trackers scipy && pip install --no-deps trackeval
    python benchmarks/tracking.py

Twelve simulated streets of 10 s at 30 fps, once with the detections of the built-in road-nano, and
once with detections made of the truth: boxes with 3 % noise, one in ten missed, a false one in
every second frame. Every tracker is given those of a score from 0.1 on. Frames are lost at random,
the same for all. `trackers` (Apache-2.0) has ByteTrack, once with its constant rate and once told
the time of each frame. HOTA and IDF1 are TrackEval's (MIT), over objects of at least 12 pixels
height and 30 % in view, whatever their class; a figure is the mean over the streets.
"""

import statistics
import time
from collections.abc import Callable, Sequence

import click
import numpy as np
import supervision
from following.scores import Scores, Told, Track, judged
from following.streets import FPS, STREETS, Kind, Seen, of_road_nano, of_truth
from rich.console import Console
from rich.table import Table
from trackers import ByteTrackTracker

from stopline.runtime.detections import Detections
from stopline.runtime.tracking.published import least_of
from stopline.runtime.tracking.tracker import Tracker, TrackerSettings

SHARES = (0.0, 0.3, 0.5, 0.7)
MIN_SCORE = 0.3  # of road-nano, below which ours tells only what has a track


@click.command()
def main() -> None:
    """Print both tables, and what a step takes."""
    console = Console()
    for name, kind in (("of road-nano", of_road_nano), ("made of the truth", of_truth)):
        streets = _streets(kind, console)
        console.print(_table(f"HOTA / IDF1 on detections {name}", streets))
    step_ms, count = _step_ms(streets[4])
    console.print(f"one step of ours: {step_ms:.2f} ms, median of {count}, at 20 detections")


def _streets(kind: Kind, console: Console) -> list[list[Seen]]:
    streets = []
    for nth, seed in enumerate(STREETS, start=1):
        with console.status(f"rendering street {nth} of {len(STREETS)}"):
            streets.append(list(kind(seed)))
    return streets


def _table(title: str, streets: list[list[Seen]]) -> Table:
    made: dict[str, Callable[[], Track]] = {
        "stopline": lambda: _ours(TrackerSettings()),
        "… told from 0.3 on only": lambda: _ours(TrackerSettings(feed=MIN_SCORE)),
        "ByteTrack, constant rate": lambda: _theirs(stamped=False),
        "ByteTrack, told the time": lambda: _theirs(stamped=True),
    }
    table = Table("frames lost", *made, title=title)
    for share in SHARES:
        means = [
            _mean([judged(make(), street, share) for street in streets]) for make in made.values()
        ]
        table.add_row(f"{share:.0%}", *(f"{mean.hota:.3f} / {mean.idf1:.3f}" for mean in means))
    return table


def _mean(scores: Sequence[Scores]) -> Scores:
    return Scores(*(statistics.fmean(column) for column in zip(*scores, strict=True)))


def _ours(settings: TrackerSettings) -> Track:
    tracker = Tracker(settings)

    def track(found: Detections, index: int) -> Told:
        fed = found.scores >= min(settings.feed, MIN_SCORE)
        few = Detections(found.boxes[fed], found.scores[fed], found.classes[fed], found.names)
        told = tracker.follow(few, round(index * 1e9 / FPS), least_of(few.names, MIN_SCORE))
        assert told.tracks is not None
        return told.boxes[told.tracks > 0], told.tracks[told.tracks > 0]

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


def _step_ms(street: Sequence[Seen]) -> tuple[float, int]:
    tracker, took = Tracker(), []
    least = least_of(street[0].found.names, MIN_SCORE)
    for index, seen in enumerate(street):
        found = seen.found
        few = Detections(found.boxes[:20], found.scores[:20], found.classes[:20], found.names)
        started = time.perf_counter()
        tracker.follow(few, round(index * 1e9 / FPS), least)
        took.append((time.perf_counter() - started) * 1e3)
    return statistics.median(took), len(took)


if __name__ == "__main__":
    main()
