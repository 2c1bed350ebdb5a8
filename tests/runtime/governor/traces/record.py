"""Records how a real run fares before, while and after other work takes the machine's cores.

    taskset -c 0 python tests/runtime/governor/traces/record.py overload.csv

Two simulated cameras of 5 frames a second, the built-in road-nano on one thread, and for 12 s as
many busy processes as `--burners` says. Nothing is given up meanwhile: what a governor would do is
asked later, of the file. Its columns: milliseconds since the start, camera, age of the answer in
milliseconds, empty where it was missed, and how much of that the camera took.
"""

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from stopline.runtime.cameras.camera_state import Patience
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.frame import Result
from stopline.runtime.pipeline import Pipeline, PipelineSettings

QUIET_S, BUSY_S, AFTER_S = 8.0, 12.0, 16.0


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--burners", default=14)
@click.option("--deadline-ms", default=1000.0)
def main(file: Path, burners: int, deadline_ms: float) -> None:
    """Write FILE."""
    sources = [f"sim://road?width=320&height=180&fps=5&seed={seed}" for seed in (1, 2)]
    patience = Patience(stale_after_s=4, lost_after_s=8)  # the camera starves too
    settings = PipelineSettings(patience, deadline_s=deadline_ms / 1e3)
    with ExitStack() as opened:
        detector = opened.enter_context(Detector(settings=DetectorSettings(threads=1)))
        pipeline = opened.enter_context(Pipeline(detector, sources, settings=settings))
        out = csv.writer(opened.enter_context(file.open("w", encoding="ascii")))
        out.writerow(("at_ms", "camera", "age_ms", "decode_ms"))
        names = {report.name: f"camera {n}" for n, report in enumerate(pipeline.reports(), 1)}
        out.writerows(_rows(pipeline, burners, names))


def _rows(pipeline: Pipeline, burners: int, names: dict[str, str]) -> Iterator[tuple[object, ...]]:
    with ExitStack() as busy:
        started = None
        for result in pipeline:
            if result.frame is None and not result.missed:
                continue
            started = started or time.monotonic()  # once the first frame is there
            at_s = time.monotonic() - started
            if at_s > QUIET_S and burners:
                busy.enter_context(_burning(burners))
                burners = 0
            if at_s > QUIET_S + BUSY_S:
                busy.close()
            if at_s > QUIET_S + BUSY_S + AFTER_S:
                return
            yield _row(at_s, names[result.camera], result)


def _row(at_s: float, camera: str, result: Result) -> tuple[object, ...]:
    age_ms = "" if result.age_ms is None else f"{result.age_ms:.0f}"
    return f"{at_s * 1e3:.0f}", camera, age_ms, f"{result.stages_ns['decode'] / 1e6:.0f}"


@contextmanager
def _burning(count: int) -> Iterator[None]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    main()
