"""A simulated road, of which everything is known: the alerts are those that the truth predicts."""

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stopline.runtime.alerts.rules import Rule, Zone, write_rules
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.detections import Detections
from stopline.runtime.events import Alert
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sim.road import View
from stopline.runtime.sim.settings import CLASSES
from stopline.runtime.sim.source import RoadCamera
from stopline.runtime.tracking.tracker import Tracker
from tests.runtime.alerts.staged import SECOND_NS, rules_of
from tests.runtime.alerts.test_webm import played

FPS, FRAMES, WH = 10, 80, (320, 180)
KINDS = ("person", "car", "stop sign")
RIGHT = Zone(points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
SKY = Zone(points=((0, 0), (1, 0), (1, 0.15), (0, 0.15)))
HELD_S, GONE_S = 0.3, 1.0
LATE_S = 0.1 + 1 / FPS  # a track is told from 0.1 s on; and a frame, for the rounding


class Stay(NamedTuple):
    """An object that stood in the right half, by the truth; `frames` without a longer gap."""

    kind: str
    id: int
    frames: list[int]

    @property
    def longest_s(self) -> float:
        """Without any gap."""
        gaps = np.flatnonzero(np.diff(self.frames) > 1)
        starts, ends = [0, *(gaps + 1)], [*gaps, len(self.frames) - 1]
        whole = zip(starts, ends, strict=True)
        steps: int = max(self.frames[end] - self.frames[start] for start, end in whole)
        return steps / FPS


def visible(view: View) -> list[int]:
    """What a good detector finds: not hidden, not tiny."""
    tall = view.boxes[:, 3] - view.boxes[:, 1] >= 14
    return [
        row
        for row in range(len(view.names))
        if view.names[row] in KINDS and view.visibility[row] > 0.6 and tall[row]
    ]


def found(view: View) -> Detections:
    rows = visible(view)
    kinds = np.array([CLASSES.index(view.names[row]) for row in rows], np.int64)
    return Detections(view.boxes[rows], np.full(len(rows), 0.9, np.float32), kinds, CLASSES)


def alerts_of(views: list[View], zone: Zone) -> list[Alert]:
    """With the truth for detections, numbered by the tracker as ever."""
    rules = [Rule(name=k, kind=k, zone="there", held_s=HELD_S, gone_s=GONE_S) for k in KINDS]
    watch, tracker = Watch(rules_of(*rules, zones={"there": zone})), Tracker()
    told: list[Alert] = []
    for index, view in enumerate(views):
        at_ns = round(index * SECOND_NS / FPS)
        detections = found(view)
        detections = replace(detections, tracks=tracker(detections, at_ns))
        frame = Frame("road", index, at_ns, view.image)
        told += watch(Result("road", CameraState.LIVE, frame, detections, scene_ns=at_ns))
    return told


def stays(views: list[View]) -> list[Stay]:
    """By the plainest means: which half is the middle of the box in?"""
    frames: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, view in enumerate(views):
        for row in visible(view):
            if view.boxes[row, 0] + view.boxes[row, 2] > WH[0]:
                frames[view.names[row], int(view.ids[row])].append(index)
    return [Stay(kind, number, seen) for (kind, number), seen in frames.items()]


@pytest.mark.journey
@pytest.mark.parametrize("seed", [3, 8])
def test_the_alerts_are_those_that_the_truth_predicts(seed: int) -> None:
    """Each object that stood there for long enough has one, when and where it should."""
    camera = RoadCamera(f"sim://road?width={WH[0]}&height={WH[1]}&fps={FPS}&seed={seed}")
    views = [camera.truth(index) for index in range(FRAMES)]
    began = [alert for alert in alerts_of(views, RIGHT) if alert.phase == "began"]
    due = [stay for stay in stays(views) if stay.longest_s >= HELD_S + LATE_S]
    perhaps = [stay for stay in stays(views) if HELD_S <= stay.longest_s < HELD_S + LATE_S]
    assert len(due) >= 7
    assert len(perhaps) <= 1
    unexplained = [one for one in began if not any(is_of(one, stay, views) for stay in perhaps)]
    for stay in due:
        [alert] = [alert for alert in unexplained if is_of(alert, stay, views)]
        late_s = alert.at_ns / SECOND_NS - (stay.frames[0] / FPS + HELD_S)
        assert -1 / FPS <= late_s <= LATE_S, stay
        unexplained.remove(alert)
    assert not unexplained
    assert alerts_of(views, SKY) == [], "nobody stands in the sky"


def is_of(alert: Alert, stay: Stay, views: list[View]) -> bool:
    """Whether the alert's box is where that object was at that moment."""
    view = views[round(alert.at_ns * FPS / SECOND_NS)]
    rows = np.flatnonzero(view.ids == stay.id)
    if alert.name != stay.kind or len(rows) == 0:
        return False
    return bool(np.abs(view.boxes[rows[0]] - alert.box).max() < 1)


ROAD = f"sim://road?width=640&height=360&fps={FPS}&seed=0&realtime=0&frames=65"


@pytest.mark.journey
def test_a_stop_sign_ahead_is_told_once_with_a_clip_by_the_built_in_detector(
    tmp_path: Path,
) -> None:
    """The sign of this street grows from 14 to 97 pixels in the 3 s before it is passed."""
    ahead = Rule(name="stop sign ahead", kind="stop sign", held_s=0.3, growing=0.2)
    elsewhere = Rule(name="stop sign in the sky", kind="stop sign", zone="sky", touch="ground")
    rules = tmp_path / "rules.json"
    write_rules(rules, rules_of(ahead, elsewhere, zones={"sky": SKY}))
    clips, lines = tmp_path / "clips", tmp_path / "out.jsonl"
    words = ["--source", ROAD, "--rules", rules, "--clips", clips, "--json", lines, "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "stopline", "run", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    told = [line for line in written if "event" in line]
    assert [(event["rule"], event["phase"]) for event in told] == [
        ("stop sign ahead", "began"),
        ("stop sign ahead", "ended"),
    ]
    shown = written[written.index(told[0]) - 1]
    assert is_the_sign(told[0], RoadCamera(ROAD).truth(shown["index"]))
    [clip] = clips.glob("*.webm")
    assert clip.stem == told[0]["id"]
    moments, images = played(clip)
    assert 4 <= moments[-1] <= 6.1, "3 s before it and 3 s after"
    assert images[0].shape == (360, 640, 3)
    record = json.loads(clip.with_suffix(".json").read_text())
    assert record["ended"]["held_s"] == told[1]["held_s"]


def is_the_sign(event: dict[str, Any], view: View) -> bool:
    """Whether the alert's box is the sign's, give or take a quarter of its size."""
    boxes = view.boxes[np.array(view.names) == "stop sign"]
    sizes = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    off_by = np.abs(boxes - event["box"]).max(axis=1)
    return bool(np.any((sizes > 12) & (off_by < 0.25 * sizes)))
