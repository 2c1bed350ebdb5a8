"""One run: what the pipeline gives goes to the sinks, and what follows from it is done."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stopline.runtime.events import Event
from stopline.runtime.frame import Result
from stopline.runtime.pipeline import Detects, Pipeline
from stopline.runtime.sinks.sink import Sink

if TYPE_CHECKING:  # most runs have neither, and need not load them
    from stopline.runtime.alerts.watch import Watch
    from stopline.runtime.governor.governor import Governor
    from stopline.runtime.governor.ladder import Rung


@dataclass(slots=True)
class Session:
    """`run()` until the pipeline is over; `tell` may be called from any thread."""

    pipeline: Pipeline
    cameras: Sequence[str]  # the most important first
    detectors: Sequence[Detects]  # what was asked for, and what is fallen back to
    sinks: list[Sink] = field(default_factory=list)
    watch: "Watch | None" = None
    governor: "Governor | None" = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Raise OSError for a sink that is written to directly and fails."""
        for result in self.pipeline:
            self._write(result)
            for event in self._consequences(result):
                self.tell(event)
            if enough():
                return

    def tell(self, event: Event) -> None:
        """Every sink."""
        with self._lock:
            for sink in self.sinks:
                sink.tell(event)

    def _write(self, result: Result) -> None:
        with self._lock:
            for sink in self.sinks:
                sink.write(result)

    def _consequences(self, result: Result) -> Iterable[Event]:
        if self.watch is not None:
            yield from self.watch(result)
        if self.governor is not None and (step := self.governor(result)) is not None:
            self._stand_on(self.governor.rung)
            yield step

    def _stand_on(self, rung: "Rung") -> None:
        self.pipeline.pace(rung.most_fps)
        self.pipeline.use(self.detectors[rung.detector])
        self.pipeline.rest(() if rung.cameras is None else self.cameras[rung.cameras :])
