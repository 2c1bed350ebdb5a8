"""From nothing to the first answer, in new processes: import, load, first frame."""

import json
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from typing import TypedDict

from stopline.devices.latency.report import ColdStart, Subject

CHILD = """
import json, sys, time
began = time.monotonic_ns()
import numpy as np
from stopline.runtime.detector import Detector, DetectorSettings
imported = time.monotonic_ns()
about = json.loads(sys.argv[1])
image = np.full((about["height"], about["width"], 3), 114, np.uint8)
settings = DetectorSettings(about["backend"], about["precision"], threads=about["threads"])
detector = Detector(about["bundle"], settings=settings)
loaded = time.monotonic_ns()
detector(image)
print(json.dumps([began, imported, loaded, time.monotonic_ns()]))
"""
WITHIN_S = 300


class _About(TypedDict):
    bundle: str
    backend: str
    precision: str
    threads: int
    width: int
    height: int


def cold_start(subject: Subject, bundle_path: str, tries: int) -> ColdStart | None:
    """Medians of so many new processes; None of none. Raises OSError if one fails.

    Files come from the page cache: the first start after boot also waits for the disk.
    """
    width, height = subject.frame_wh
    about: _About = {
        "bundle": bundle_path,
        "backend": subject.backend,
        "precision": subject.precision,
        "threads": subject.threads,
        "width": width,
        "height": height,
    }
    starts = [_one(about) for _ in range(tries)]
    if not starts:
        return None
    process, imports, load, first = (statistics.median(part) for part in zip(*starts, strict=True))
    total = statistics.median(sum(start) for start in starts)
    return ColdStart(
        n=tries, process=process, imports=imports, load=load, first_frame=first, total=total
    )


def _one(about: _About) -> tuple[float, ...]:
    """Milliseconds of each part; the clock is one for all processes of a machine."""
    started = time.monotonic_ns()
    command = [sys.executable, "-c", CHILD, json.dumps(about)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise OSError(f"a cold start failed: {last}")
    times = [started, *json.loads(done.stdout)]
    return tuple((after - before) / 1e6 for before, after in pairwise(times))
