"""A real pipeline that feeds a real view: `python -m …` runs one until it is killed."""

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stopline.runtime.alerts.book import RulesBook
from stopline.runtime.alerts.rules import no_rules
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.closing import Closing
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.frame import Frame
from stopline.runtime.pipeline import Pipeline
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.view import View
from tests.runtime.tiny import red_square, tiny_bundle

HW = (64, 96)
RED = (40, 24, 48, 32)  # where the red thing is, xyxy: one cell of the detector


class Red(Closing):
    """A live camera that sees one red thing, until it is told to see nothing more."""

    live = True
    fps: float | None = 20.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.blind = threading.Event()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closed.wait(0.05):
            if not self.blind.is_set():
                yield Frame(self.name, index, time.monotonic_ns(), red_square(HW, RED))
                index += 1

    def close(self) -> None:
        self._closed.set()


@dataclass
class Run:
    """What goes on in the thread of `running`."""

    view: View
    cameras: list[Red]
    watch: Watch
    written_ns: list[int] = field(default_factory=list)  # how long the view took for each result


@contextmanager
def running(
    folder: Path, names: tuple[str, ...] = ("front",), rules: Path | None = None
) -> Iterator[Run]:
    """Until the end of the block, in a thread."""
    cameras = [Red(name) for name in names]
    watch = Watch(no_rules())
    bundle = tiny_bundle(folder / "tiny")
    with Detector(bundle, settings=DetectorSettings("onnxruntime", threads=1)) as detector:
        book = RulesBook(watch, detector.names, rules)
        settings = ViewSettings(cameras=names, deadline_s=0.1, clips=folder)
        with View(Address("127.0.0.1", 0), settings, book) as view:
            run = Run(view, cameras, watch)
            pipeline = Pipeline(detector, cameras)
            thread = threading.Thread(target=_feed, args=(pipeline, run))
            thread.start()
            try:
                yield run
            finally:
                pipeline.stop()
                thread.join()


def _feed(pipeline: Pipeline, run: Run) -> None:
    for result in pipeline:
        began_ns = time.perf_counter_ns()
        run.view.write(result)
        run.written_ns.append(time.perf_counter_ns() - began_ns)
        for alert in run.watch(result):
            run.view.tell(alert)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as run:
        print(run.view.url, flush=True)
        sys.stdin.read()
