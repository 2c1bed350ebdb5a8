"""What the runtime costs beside decoding and the model, against a bare loop of the same two.

    python benchmarks/overhead.py CLIP BUNDLE [BUNDLE...]

Ratios are of one process, A B C A B C, and medians of the rounds: other work on the machine then
falls on all. The bare loop is the least that anybody's code must do: `read()` and `session.run()`
on a constant input, without letterbox, NMS or any result. The careful loop adds just those, as
plain cv2 and numpy, but no states, clocks or checks. What tracking costs is measured in the same
rounds, with and without it, on twenty objects that take the place of what the model found. Bundles
of other sizes are made by `stopline export WEIGHTS.onnx --input 320x320 -o BUNDLE`.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import onnxruntime
from crowd import Crowd

from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.pipeline import Detects, Pipeline, PipelineSettings

MS = 1e6  # nanoseconds
OUTPUTS = ["boxes", "scores", "classes"]


@dataclass
class Rounds:
    """Per-frame times of each round, in ms, and of each stage of ours."""

    bare: list[float] = field(default_factory=list)
    careful: list[float] = field(default_factory=list)
    careful_beside: list[float] = field(default_factory=list)  # of single frames, all rounds
    ours: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)  # of single frames, all rounds
    tracking: list[float] = field(default_factory=list)  # what it costs more, with 20 objects
    stages: dict[str, list[float]] = field(default_factory=dict)


def bare_session(bundle: Bundle, threads: int) -> onnxruntime.InferenceSession:
    """As the runtime opens it, so that only what is around it differs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = bundle.variant_path("fp32")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def bare_round(clip: str, session: onnxruntime.InferenceSession, frames: Any, count: int) -> float:
    """Milliseconds a frame of the least that anybody must do."""
    capture = cv2.VideoCapture(clip, cv2.CAP_FFMPEG)
    started = time.monotonic_ns()
    for _ in range(count):
        capture.read()
        session.run(OUTPUTS, {"frames": frames})
    took_ns = time.monotonic_ns() - started
    capture.release()
    return took_ns / count / MS


def careful_round(
    clip: str, session: onnxruntime.InferenceSession, frames: Any, count: int, rounds: Rounds
) -> float:
    """Milliseconds a frame of what an engineer who knows how would write by hand."""
    capture = cv2.VideoCapture(clip, cv2.CAP_FFMPEG)
    began = time.monotonic_ns()
    for _ in range(count):
        _, image = capture.read()
        started = time.monotonic_ns()
        scale = min(frames.shape[2] / image.shape[1], frames.shape[1] / image.shape[0])
        width, height = int(image.shape[1] * scale), int(image.shape[0] * scale)
        cv2.resize(image, (width, height), dst=frames[0, :height, :width])
        laid = time.monotonic_ns()
        (boxes,), (scores,), (classes,) = session.run(OUTPUTS, {"frames": frames})
        ran = time.monotonic_ns()
        likely = np.flatnonzero(scores >= 0.3)
        xywh = boxes[likely].astype(np.float64)
        xywh[:, 2:] -= xywh[:, :2]
        rows = xywh.tolist(), scores[likely].tolist(), classes[likely].tolist()
        kept = cv2.dnn.NMSBoxesBatched(*rows, 0.3, 0.65) if len(likely) else []
        [(boxes[i] / scale, scores[i], classes[i]) for i in kept]
        rounds.careful_beside.append((laid - started + time.monotonic_ns() - ran) / MS)
    took_ns = time.monotonic_ns() - began
    capture.release()
    return took_ns / count / MS


def our_round(
    clip: str,
    detector: Detects,
    count: int,
    rounds: Rounds,
    settings: PipelineSettings | None = None,
) -> float:
    """Milliseconds a frame of the pipeline; adds what each frame took beside the two."""
    with Pipeline(detector, clip, settings=settings) as pipeline:
        began = last = time.monotonic_ns()
        for _, result in zip(range(count), pipeline, strict=False):
            now, took = time.monotonic_ns(), result.stages_ns
            rounds.beside.append((now - last - took["decode"] - took["engine"]) / MS)
            last = now
            for stage, took_ns in took.items():
                rounds.stages.setdefault(stage, []).append(took_ns / MS)
    return (last - began) / count / MS


def tracking_ms(clip: str, detector: Detector, count: int) -> float:
    """Milliseconds a frame that tracking of twenty objects takes, in one round without and with."""
    medians = []
    for settings in (PipelineSettings(tracking=None), PipelineSettings()):
        rounds = Rounds()
        our_round(clip, Crowd(detector), count, rounds, settings)
        medians.append(statistics.median(rounds.beside))
    return medians[1] - medians[0]


def measured(clip: str, bundle: Bundle, rounds: int, count: int) -> dict[str, Any]:
    """The figures of one bundle."""
    threads = len(os.sched_getaffinity(0))
    shape = bundle.manifest.input
    frames = np.full((1, shape.height, shape.width, 3), 114, np.uint8)
    session, seen = bare_session(bundle, threads), Rounds()
    settings = DetectorSettings(backend="onnxruntime", threads=threads)
    with Detector(bundle, settings=settings) as detector:
        our_round(clip, detector, 20, Rounds())
        bare_round(clip, session, frames, 20)
        for _ in range(rounds):
            seen.bare.append(bare_round(clip, session, frames, count))
            seen.careful.append(careful_round(clip, session, frames, count, seen))
            seen.ours.append(our_round(clip, detector, count, seen))
            seen.tracking.append(tracking_ms(clip, detector, count))
    return {
        "bundle": bundle.manifest.name,
        "input": f"{shape.width}x{shape.height}",
        "threads": threads,
        "opencv": cv2.__version__,
        "onnxruntime": onnxruntime.__version__,
        "rounds": rounds,
        "frames": rounds * count,
        "beside_ms": statistics.median(seen.beside),
        "careful_beside_ms": statistics.median(seen.careful_beside),
        "tracking_20_ms": statistics.median(seen.tracking),
        "throughput_ratio": median_ratio(seen.bare, seen.ours),
        "careful_throughput_ratio": median_ratio(seen.bare, seen.careful),
        "bare_ms": statistics.median(seen.bare),
        "ours_ms": statistics.median(seen.ours),
        "stages_ms": {name: statistics.median(took) for name, took in seen.stages.items()},
    }


def median_ratio(left: list[float], right: list[float]) -> float:
    """Of each round, so that what slows a round down slows both sides of its ratio."""
    return statistics.median(a / b for a, b in zip(left, right, strict=True))


def cold_starts(clip: str, bundle: Bundle, tries: int) -> Iterator[float]:
    """Seconds from the start of a process to its first line of JSON."""
    for _ in range(tries):
        command = _command(clip, bundle, "--json", "-", "--frames", "1")
        started = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as child:
            assert child.stdout is not None
            assert child.stdout.readline().startswith(b"{")
            yield time.monotonic() - started


def peak_rss_mib(command: list[str]) -> float:
    """Of a process. Not by wait4, whose figure of a child starts at the size of its parent."""
    peak_kib = 0
    child = subprocess.Popen(command)
    while child.poll() is None:
        status = Path(f"/proc/{child.pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+)", status):  # a process that has ended has none
            peak_kib = int(found[1])
        time.sleep(0.02)
    assert child.returncode == 0
    return peak_kib / 1024


BARE = """
import sys, cv2, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level, options.intra_op_num_threads = 3, int(sys.argv[5])
session = onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
frames = np.full((1, int(sys.argv[3]), int(sys.argv[4]), 3), 114, np.uint8)
capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
while capture.read()[0]:
    session.run(None, {"frames": frames})
"""


def bare_command(clip: str, bundle: Bundle, threads: int) -> list[str]:
    """The bare loop as a process of its own."""
    shape, model = bundle.manifest.input, bundle.variant_path("fp32")
    numbers = [str(shape.height), str(shape.width), str(threads)]
    return [sys.executable, "-c", BARE, clip, str(model), *numbers]


def _command(clip: str, bundle: Bundle, *options: str) -> list[str]:
    run = [sys.executable, "-m", "stopline", "run", str(bundle.path), "--source", clip]
    return [*run, "--backend", "onnxruntime", "--quiet", *options]


@click.command()
@click.argument("clip", type=click.Path(exists=True))
@click.argument("bundles", nargs=-1, required=True)
@click.option("--rounds", default=7)
@click.option("--count", default=100, help="Frames in a round; the clip must have them.")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
def main(
    clip: str, bundles: tuple[str, ...], rounds: int, count: int, json_path: Path | None
) -> None:
    """Measure each bundle on CLIP."""
    cv2.setNumThreads(1)  # as `stopline run` does; for the bare loop too
    reports = []
    for bundle in map(open_bundle, bundles):
        report = measured(clip, bundle, rounds, count)
        report["cold_start_s"] = statistics.median(cold_starts(clip, bundle, rounds))
        report["peak_rss_mib"] = peak_rss_mib(_command(clip, bundle))
        report["bare_peak_rss_mib"] = peak_rss_mib(bare_command(clip, bundle, report["threads"]))
        reports.append(report)
        click.echo(json.dumps(report, indent=2))
    if json_path is not None:
        json_path.write_text(json.dumps(reports, indent=2) + "\n")


if __name__ == "__main__":
    main()
