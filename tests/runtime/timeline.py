"""Cameras and a detector on a clock that only detection moves: hours of them in seconds, exactly.

The pipeline and its camera threads are the real ones; each frame is in its slot before the clock
goes on. Nothing moves while nothing is detected: where cameras leave time, add a `Filler`.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from queue import Queue
from threading import Semaphore

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Inference
from stopline.runtime.frame import Frame
from tests.runtime.clips import grey

MS = 1_000_000


class Told(Closing):
    """A live camera that gives a frame when it is told to; telling returns once it is handed on."""

    live: bool = True
    fps: float | None = None

    def __init__(self, name: str, frames: int) -> None:
        self.name, self.frames = name, frames
        self.given = 0
        self._told: Queue[int | None] = Queue()
        self._asks = Semaphore(0)

    def wait(self) -> None:
        """Until the pipeline asks for a frame."""
        assert self._asks.acquire(timeout=10)

    def give(self, captured_ns: int) -> bool:
        """One frame, captured then; False if it was the last."""
        self._told.put(captured_ns)
        self.given += 1
        self.wait()
        if self.given == self.frames:
            self._told.put(None)
        return self.given < self.frames

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        self._asks.release()
        while (captured_ns := self._told.get()) is not None:
            yield Frame(self.name, index, captured_ns, grey(0))
            index += 1
            self._asks.release()

    def close(self) -> None:
        pass


class Filler(Closing):
    """Gives a frame whenever it is asked, as files do, until the cameras have given all theirs."""

    name: str = "filler"
    live: bool = False
    fps: float | None = None

    def __init__(self, cameras: Sequence[Told]) -> None:
        self._cameras = cameras

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while any(camera.given < camera.frames for camera in self._cameras):
            yield Frame(self.name, index, 0, grey(0))
            index += 1

    def close(self) -> None:
        pass


class Timeline:
    """A clock, and the cameras that give frames as it goes on."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS
        self._due: list[tuple[int, int, int, Told]] = []

    def __call__(self) -> int:
        return self.now_ns

    def add(self, camera: Told, fps: float, first_ms: float = 0) -> None:
        """It gives a frame then, and from there on so many a second."""
        first_ns = self.now_ns + round(first_ms * MS)
        heapq.heappush(self._due, (first_ns, len(self._due), round(1e9 / fps), camera))

    def forward(self, ms: float) -> None:
        """Let so much time pass, with every frame that is due in it."""
        until_ns = self.now_ns + round(ms * MS)
        while self._due and self._due[0][0] <= until_ns:
            self.now_ns, nth, period_ns, camera = heapq.heappop(self._due)
            if camera.give(self.now_ns):
                heapq.heappush(self._due, (self.now_ns + period_ns, nth, period_ns, camera))
        self.now_ns = until_ns


class Taking:
    """A detector that takes `cost_ms(images)` of the timeline, and finds nothing."""

    names: tuple[str, ...] = ("thing",)
    min_score: float = 0.5

    def __init__(self, timeline: Timeline, cost_ms: Callable[[int], float], batch: int = 1) -> None:
        self.batch = batch
        self.sizes: list[int] = []
        self._timeline, self._cost_ms = timeline, cost_ms

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        self.sizes.append(len(images))
        before_ns = self._timeline()
        self._timeline.forward(self._cost_ms(len(images)))
        took_ns = self._timeline() - before_ns
        return Inference([Detections.none(self.names) for _ in images], {"engine": took_ns})


def four(timeline: Timeline, frames: int) -> list[Told]:
    """Cameras of 30 frames a second by clocks that are not quite the same, as clocks are."""
    cameras = [Told(f"camera {n}", frames) for n in range(4)]
    for n, camera in enumerate(cameras):
        timeline.add(camera, 30 + 0.07 * n, first_ms=7.0 * n)
    return cameras
