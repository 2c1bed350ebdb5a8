"""Frames a second on one core, against Ultralytics with the same network on the same clip.

    systemd-run --scope -p AllowedCPUs=0 python benchmarks/peers.py CLIP --peer PYTHON

It wants a cpuset of one core (`docker run --cpuset-cpus 0` gives one too): `taskset` is not enough,
because ONNX Runtime with its default settings pins its threads itself, to every core there is.

PYTHON is the interpreter of an environment of its own, with `ultralytics` and `onnxruntime` in it
(its licence is the AGPL: it is run as a separate process, and nothing here imports it). The network
is YOLO11n with random weights at 320, exported by the peer; detections are rare with such weights,
so both sides are spared most of their NMS. Rounds of ours and theirs take turns; the first frames
of each are not counted. The ratio is of the medians.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from stopline.export.bundle import About, quick_bundle
from stopline.export.families import recognised
from stopline.export.raw import read_raw
from stopline.runtime.backends.backend import usable_cpus
from stopline.runtime.manifest import Provenance

SIDE, WARM_UP = 320, 20

MAKE = """
import sys
from ultralytics import YOLO
YOLO("yolo11n.yaml").export(format="onnx", imgsz=int(sys.argv[1]), simplify=True, opset=17)
"""
THEIRS = """
import json, resource, sys, time
started = time.monotonic()
from ultralytics import YOLO
model, clip, side, warm_up = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
first = count = 0
for _ in YOLO(model, task="detect").predict(
    source=clip, stream=True, imgsz=side, device="cpu", verbose=False
):
    count += 1
    if count == 1:
        cold = time.monotonic() - started
    if count == warm_up:
        first = time.monotonic()
"""
OURS = """
import json, resource, sys, time
started = time.monotonic()
from stopline.runtime import Detector, DetectorSettings, Pipeline
bundle, clip, warm_up = sys.argv[1], sys.argv[2], int(sys.argv[4])
first = count = 0
detector = Detector(bundle, settings=DetectorSettings("onnxruntime"))
for result in Pipeline(detector, clip):
    if result.frame is None:
        continue
    count += 1
    if count == 1:
        cold = time.monotonic() - started
    if count == warm_up:
        first = time.monotonic()
"""
REPORT = """
fps = (count - warm_up) / (time.monotonic() - first)
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"fps": fps, "cold_start_s": cold, "peak_rss_mib": rss}))
"""


def one_round(python: str, script: str, model: Path, clip: str) -> dict[str, float]:
    """What one process reports of itself."""
    words = [str(model), clip, str(SIDE), str(WARM_UP)]
    command = [python, "-c", script + REPORT, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise click.ClickException(f"{python} failed: {done.stderr.strip().splitlines()[-1]}")
    report: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return report


def same_network(peer: str, folder: Path) -> tuple[Path, Path]:
    """The peer's ONNX file, and our bundle made of it."""
    subprocess.run([peer, "-c", MAKE, str(SIDE)], cwd=folder, check=True, capture_output=True)
    model = folder / "yolo11n.onnx"
    classes = tuple(f"class {index}" for index in range(80))
    made = Provenance(created="", stopline="", command="benchmarks/peers.py")
    quick_bundle(folder / "bundle", recognised(read_raw(model)), About("peer", classes, made))
    return model, folder / "bundle"


@click.command()
@click.argument("clip", type=click.Path(exists=True, dir_okay=False))
@click.option("--peer", required=True, help="Interpreter of the environment with ultralytics.")
@click.option("--rounds", default=5, show_default=True)
def main(clip: str, peer: str, rounds: int) -> None:
    """Print every round, then the medians and their ratio."""
    clip, peer = str(Path(clip).absolute()), str(Path(peer).absolute())
    if usable_cpus() != 1:
        raise click.UsageError(f"{usable_cpus()} cores to use: run it in a cpuset of one")
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        model, bundle = same_network(peer, Path(scratch))
        for number in range(rounds):
            ours.append(one_round(sys.executable, OURS, bundle, clip))
            theirs.append(one_round(peer, THEIRS, model, clip))
            click.echo(f"round {number}: ours {ours[-1]}, theirs {theirs[-1]}")
    for figure in ("fps", "cold_start_s", "peak_rss_mib"):
        a, b = (statistics.median(row[figure] for row in rows) for rows in (ours, theirs))
        click.echo(f"{figure}: ours {a:.3g}, theirs {b:.3g}, ratio {a / b:.2f} (n={rounds})")


if __name__ == "__main__":
    main()
