"""Small real videos and images, and small real cameras, for the tests of what reads them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Queue

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Inference
from stopline.runtime.frame import Frame
from stopline.runtime.quiet import silence_opencv

silence_opencv()  # FFmpeg asks for its log level once, which here is when a clip is written
MPEG4 = cv2.VideoWriter.fourcc(*"mp4v")


def grey(value: int, hw: tuple[int, int] = (48, 64)) -> Image:
    """A plain image."""
    return np.full((*hw, 3), value, np.uint8)


def write_clip(path: Path, images: Sequence[Image], fps: float = 30) -> Path:
    """A real video of `images`, which are all of one size."""
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, MPEG4, fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return path


def noisy_clip(path: Path, frames: int, hw: tuple[int, int] = (48, 64)) -> Path:
    """A video of noise, which takes many bytes for a frame."""
    chance = np.random.default_rng(0)
    return write_clip(path, [chance.integers(0, 255, (*hw, 3), np.uint8) for _ in range(frames)])


def until(true: Callable[[], object], within_s: float = 10) -> None:
    """Wait for another thread, which is sure to come soon."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)


class Ticking(Closing):
    """A live camera that gives one frame whenever the test says so, and ends when told."""

    live: bool = True
    fps: float | None = None

    def __init__(self, name: str = "ticking") -> None:
        self.name = name
        self.closed = threading.Event()
        self._told: Queue[int | Exception | None] = Queue()

    def tick(self, captured_ns: int | None = None) -> None:
        """Give one frame, captured then, or now."""
        self._told.put(time.monotonic_ns() if captured_ns is None else captured_ns)

    def end(self, error: Exception | None = None) -> None:
        """Say that it is over, or fail."""
        self._told.put(error)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while isinstance(told := self._told.get(), int):
            yield Frame(self.name, index, told, grey(index % 256))
            index += 1
        if told is not None:
            raise told

    def close(self) -> None:
        self.closed.set()


class Steady(Closing):
    """A live camera that gives `frames` frames at a steady rate, and then says it is over."""

    live = True

    def __init__(self, name: str, fps: float, frames: int) -> None:
        self.name, self.fps, self._frames = name, fps, frames
        self.given = 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            time.sleep(1 / self.fps)
            self.given += 1
            yield Frame(self.name, index, time.monotonic_ns(), grey(index % 256))

    def close(self) -> None:
        pass


class Hanging(Closing):
    """A live camera whose every read hangs for ever, in one way that a driver can."""

    name: str = "hanging"
    live: bool = True
    fps: float | None = None

    def __iter__(self) -> Iterator[Frame]:
        threading.Event().wait()
        yield Frame(self.name, 0, 0, grey(0))

    def close(self) -> None:
        pass


class Slow:
    """A detector that takes `seconds` for each image and finds nothing."""

    names: tuple[str, ...] = ("thing",)
    batch: int = 1
    min_score: float = 0.5

    def __init__(self, seconds: float = 0) -> None:
        self._seconds = seconds

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        if self._seconds:
            time.sleep(self._seconds)
        return Inference([Detections.none(self.names) for _ in images], {"engine": 1})
