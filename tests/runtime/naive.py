"""Two ways to serve many cameras that others use, to show that the checks see what they cost."""

import threading
import time
from collections.abc import Iterator, Sequence
from queue import Empty, Queue

from stopline.runtime.cameras.camera import Camera
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.pipeline import Detects


def queueing(cameras: Sequence[Camera], detector: Detects, seconds: float) -> list[Result]:
    """Every frame waits for its turn in one queue, and so none is dropped."""
    frames: Queue[Frame] = Queue()
    for camera in cameras:
        threading.Thread(target=_put_all, args=(camera, frames), daemon=True).start()
    results, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            frame = frames.get(timeout=0.1)
        except Empty:
            continue
        results.append(_answer(frame, detector))
    return results


def waiting_for_all(
    cameras: Sequence[Camera], detector: Detects, seconds: float, patience_s: float = 0.05
) -> list[Result]:
    """The newest frame of every camera, but none is detected in before all have one, or so long."""
    newest: list[Queue[Frame]] = [Queue() for _ in cameras]
    for camera, frames in zip(cameras, newest, strict=True):
        threading.Thread(target=_put_all, args=(camera, frames), daemon=True).start()
    results, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        together = list(_one_of_each(newest, time.monotonic() + patience_s))
        results += [_answer(frame, detector) for frame in together]
    return results


def _one_of_each(queues: Sequence[Queue[Frame]], until_s: float) -> Iterator[Frame]:
    for queue in queues:
        try:
            frame = queue.get(timeout=max(0.0, until_s - time.monotonic()))
            while not queue.empty():
                frame = queue.get()
        except Empty:
            continue
        yield frame


def _put_all(camera: Camera, frames: Queue[Frame]) -> None:
    for frame in camera:
        frames.put(frame)


def _answer(frame: Frame, detector: Detects) -> Result:
    [found], stages_ns = detector.detect([frame.image])
    age_ns = time.monotonic_ns() - frame.captured_ns
    return Result(frame.camera, CameraState.LIVE, frame, found, age_ns, stages_ns=stages_ns)
