"""Frames kept in memory and given again at exact times: a camera that is never the limit."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import Clock, SourceName, find_source
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame

KEPT = 16  # images; content matters little, but one alone would always be in the cache
KEPT_BYTES = 64 << 20
NAP_S = 0.02  # a wait is made of naps, so that closing the camera ends it


@dataclass(frozen=True, slots=True)
class Kept:
    """Some images of a source, and how many a second it said it gives."""

    name: str
    images: Sequence[Image]
    fps: float | None
    live: bool


def keep(source: SourceName, most: int = KEPT) -> Kept:
    """The first images of a source. Raises OSError if it gives none."""
    found = find_source(source)
    images: list[Image] = []
    with found.open() as camera:
        for frame in camera:
            images.append(frame.image)
            if len(images) == most or sum(one.nbytes for one in images) > KEPT_BYTES:
                break
        fps = camera.fps
    if not images:
        raise OSError(f"{found.name!r} gave no frame: `stopline run --source` shows why")
    return Kept(found.name, images, fps, found.live)


class InTurn(Closing):
    """`count` frames as fast as they are asked for, as from a file that needs no decoding."""

    live = False

    def __init__(self, kept: Kept, count: int, clock: Clock = time.monotonic_ns) -> None:
        self.name, self.fps = kept.name, kept.fps
        self._kept, self._count, self._clock = kept, count, clock

    def __iter__(self) -> Iterator[Frame]:
        images = self._kept.images
        for index in range(self._count):
            yield Frame(self.name, index, self._clock(), images[index % len(images)])

    def close(self) -> None:
        """Nothing is held."""


class AtRate(Closing):
    """`count` frames at exact times, whether or not anybody is ready: open-loop load.

    A frame is captured when it was due. If the thread that reads it gets a core later, the frame
    is older, as it would be from a real sensor; measured from the moment when we come to look, a
    machine that is too slow would seem on time ("coordinated omission").
    """

    live = True

    def __init__(
        self,
        kept: Kept,
        fps: float,
        count: int,
        clock: Clock = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.fps = kept.name, fps
        self._images, self._count = kept.images, count
        self._clock, self._sleep = clock, sleep
        self._next = 0
        self._start_ns: int | None = None
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._start_ns is None:
            self._start_ns = self._clock()
        index = self._next
        if self._closed or index == self._count:
            raise StopIteration
        self._next += 1
        due_ns = self._start_ns + round(index * 1e9 / self.fps)
        self._wait_until(due_ns)
        return Frame(self.name, index, due_ns, self._images[index % len(self._images)])

    def close(self) -> None:
        """End the stream, and any wait for a frame, from any thread."""
        self._closed = True

    def _wait_until(self, due_ns: int) -> None:
        while not self._closed and (left_ns := due_ns - self._clock()) > 0:
            self._sleep(min(left_ns / 1e9, NAP_S))
