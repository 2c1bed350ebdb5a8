"""A pipeline in a process of its own, which says what it publishes, one JSON object a line.

    python watch.py SOURCE

Run by a Python with FFmpeg in its OpenCV, or by one with GStreamer. It ends when its input ends.
"""

import json
import os
import sys
import threading
import time

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.frame import Result
from stopline.runtime.pipeline import Pipeline
from tests.runtime.clips import Slow

STAMP_BITS, STAMP_ROWS = 40, 32  # as `rtsp_server.py` writes them


def made_ms(image: Image) -> int:
    """When the server made it, by its blocks."""
    cell = image.shape[1] // STAMP_BITS
    row = image[STAMP_ROWS // 2, cell // 2 :: cell, 1]
    return sum(1 << bit for bit in range(STAMP_BITS) if row[bit] > 128)


def entries(folder: str) -> int:
    """How many files it has."""
    return len(os.listdir(folder))  # noqa: PTH208 - only their number matters


def stop_at_end_of_input(pipeline: Pipeline) -> None:
    """The end of input is the end of the test."""
    sys.stdin.read()
    pipeline.stop()


def line(result: Result) -> dict[str, object]:
    """What is asserted of one result."""
    now_ms = time.monotonic_ns() / 1e6
    said: dict[str, object] = {
        "at": time.monotonic(),
        "state": result.state.value,
        "dropped": result.dropped,
        "threads": entries("/proc/self/task"),
        "files": entries("/proc/self/fd"),
    }
    if result.frame is not None:
        image = result.frame.image
        said["index"] = result.frame.index
        said["hw"] = image.shape[:2]
        said["white"] = float(np.mean(image[STAMP_ROWS + 8 :]))
        said["true_age_ms"] = now_ms - made_ms(image)
        said["age_ms"] = now_ms - result.frame.captured_ns / 1e6
    return said


with Pipeline(Slow(), sys.argv[1]) as pipeline:
    threading.Thread(target=stop_at_end_of_input, args=(pipeline,), daemon=True).start()
    for result in pipeline:
        print(json.dumps(line(result)), flush=True)
    [report] = pipeline.reports()
error = None if report.error is None else str(report.error)
print(json.dumps({"connections": report.connections, "error": error}), flush=True)
