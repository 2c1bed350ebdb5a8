"""Results and events to give to sinks, and small real sinks that misbehave."""

import threading
import time
from collections.abc import Callable

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.events import Alert, Event
from stopline.runtime.frame import CameraState, Frame, Result
from tests.runtime.clips import grey

NAMES = ("person", "stop sign")


def live(index: int = 0, camera: str = "front", image: Image | None = None) -> Result:
    """A LIVE result that saw nothing."""
    image = grey(0) if image is None else image
    frame = Frame(camera, index, time.monotonic_ns(), image)
    nothing = Detections.none(NAMES)
    stages_ns = {"letterbox": 1_000_000, "engine": 8_000_000}
    return Result(camera, CameraState.LIVE, frame, nothing, 12_000_000, stages_ns=stages_ns)


def silent(
    state: CameraState = CameraState.LOST, camera: str = "front", dropped: int = 0
) -> Result:
    """A camera that is not LIVE."""
    return Result(camera, state, None, Detections.none(NAMES), dropped=dropped)


def crowd(objects: int = 20, camera: str = "front") -> Result:
    """A LIVE 720p result with that many objects, each with its number."""
    boxes = np.arange(objects * 4, dtype=np.float32).reshape(-1, 4) + np.float32(0.123)
    scores = np.linspace(0.9, 0.3, objects).astype(np.float32)
    tracks = np.arange(1, objects + 1)
    found = Detections(boxes, scores, np.zeros(objects, np.int64), NAMES, tracks)
    frame = Frame(camera, 0, 0, np.zeros((720, 1280, 3), np.uint8))
    return Result(camera, CameraState.LIVE, frame, found, 12_000_000, stages_ns={"engine": 1})


def alert(number: int = 1, camera: str = "front", rule: str = "near") -> Alert:
    """A rule that began to hold."""
    return Alert(
        at_ns=5,
        utc="2026-11-24T12:00:00.000Z",
        id=f"{camera}-{number}",
        phase="began",
        rule=rule,
        camera=camera,
        zone=None,
        name="person",
        track=number,
        box=(1.0, 2.0, 3.0, 4.0),
        held_s=0.5,
    )


class Taking:
    """A sink that keeps what it is given; `before` may make it fail, or hang."""

    name = "taking"

    def __init__(
        self, before: Callable[[], None] = lambda: None, *, wants_images: bool = False
    ) -> None:
        self.wants_images = wants_images
        self.results: list[Result] = []
        self.events: list[Event] = []
        self.order: list[Result | Event] = []
        self.closed = False
        self._before = before

    def write(self, result: Result) -> None:
        self._before()
        self.results.append(result)
        self.order.append(result)

    def tell(self, event: Event) -> None:
        self._before()
        self.events.append(event)
        self.order.append(event)

    def close(self) -> None:
        self.closed = True


class Gate:
    """Holds a sink until it is opened, and says when it holds it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self.open.wait()
