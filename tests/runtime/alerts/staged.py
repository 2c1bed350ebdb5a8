"""Results with objects where a test wants them, at the times that it wants."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stopline.runtime.alerts.rules import Rule, Rules, Zone
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result

NAMES = ("person", "car", "stop sign")
HW = (100, 200)
SECOND_NS = 1_000_000_000
LEFT = Zone(points=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))


class Thing(NamedTuple):
    """An object: its middle and size in 0..1 of the frame."""

    track: int
    x: float = 0.25
    y: float = 0.5
    name: str = "person"
    height: float = 0.2
    width: float = 0.1


def seen(at_s: float, *things: Thing, camera: str = "front", image: Image | None = None) -> Result:
    """What a live camera shows at that time."""
    image = np.zeros((*HW, 3), np.uint8) if image is None else image
    height, width = image.shape[:2]
    boxes = [
        (
            (thing.x - thing.width / 2) * width,
            (thing.y - thing.height / 2) * height,
            (thing.x + thing.width / 2) * width,
            (thing.y + thing.height / 2) * height,
        )
        for thing in things
    ]
    found = Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(things), 0.9, np.float32),
        np.array([NAMES.index(thing.name) for thing in things], np.int64),
        NAMES,
        np.array([thing.track for thing in things], np.int64),
    )
    at_ns = round(at_s * SECOND_NS)
    frame = Frame(camera, 0, at_ns, image)
    return Result(camera, CameraState.LIVE, frame, found, 1_000_000, scene_ns=at_ns)


def unseen(state: CameraState, camera: str = "front") -> Result:
    """What is told of a camera that is not LIVE."""
    return Result(camera, state, None, Detections.none(NAMES))


def rules_of(*rules: Rule, zones: dict[str, Zone] | None = None) -> Rules:
    """As a file would hold them."""
    return Rules(version=1, zones={"left": LEFT} if zones is None else zones, rules=rules)


def times(start_s: float, end_s: float, fps: float = 10) -> Sequence[float]:
    """Of frames, the last one excluded."""
    return [start_s + k / fps for k in range(round((end_s - start_s) * fps))]
