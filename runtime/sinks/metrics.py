"""What Prometheus asks for: counters, ages and states of every camera, on a page of their own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stopline.runtime.closing import Closing
from stopline.runtime.events import Alert, Event, Step
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.metrics_page import MetricsPage

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.core import CounterMetricFamily

# Between a stage of a millisecond and an answer that nobody needs any more; 33 and 66 ms are one
# and two frames of a camera.
BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.033, 0.05, 0.066, 0.1, 0.2, 0.5, 1.0, 2.0)
MOST_NAMES = 100  # of one label; rules can be renamed for ever, and each name stays in Prometheus
REST = "other"

Losses = Callable[[], Mapping[str, int]]  # sink → what it has not written


class Metrics(Closing):
    """Serves `http://HOST:PORT/metrics` from a registry of its own."""

    name = "metrics"
    wants_images = False

    def __init__(self, address: Address, losses: Losses = lambda: {}) -> None:
        """Serve at once; `losses` is asked at each scrape.

        Raises ImportError without prometheus-client, OSError for an address that is taken.
        """
        self._registry = _registry(losses)
        self._families = _families(self._registry)
        self._cameras: dict[str, _CameraSeries] = {}
        self._rules = _Names()
        self._page = MetricsPage(address, self._registry)
        self.url = self._page.url

    def write(self, result: Result) -> None:
        """Count one result."""
        series = self._cameras.get(result.camera)
        if series is None:
            series = _CameraSeries(self._families, result.camera)
            self._cameras[result.camera] = series
        series.count(result)

    def tell(self, event: Event) -> None:
        """Count an alert that began, or note the governor's level."""
        if isinstance(event, Alert) and event.phase == "began":
            self._families.alerts.labels(event.camera, self._rules(event.rule)).inc()
        elif isinstance(event, Step):
            self._families.degraded.set(event.level)

    def close(self) -> None:
        """Serve no longer."""
        self._page.close()


@dataclass(frozen=True, slots=True)
class _Families:
    results: "Counter"
    dropped: "Counter"
    missed: "Counter"
    age: "Histogram"
    stage: "Histogram"
    state: "Gauge"
    alerts: "Counter"
    degraded: "Gauge"


class _CameraSeries:
    """Those of one camera: looking them up by their labels takes longer than counting."""

    def __init__(self, families: _Families, camera: str) -> None:
        self._results = families.results.labels(camera)
        self._dropped = families.dropped.labels(camera)
        self._missed = families.missed.labels(camera)
        self._age = families.age.labels(camera)
        self._states = {state: families.state.labels(camera, state.value) for state in CameraState}
        self._state: CameraState | None = None
        self._stages: dict[str, Histogram] = {}
        self._stage_of = families.stage
        self._camera = camera

    def count(self, result: Result) -> None:
        if result.frame is not None:
            self._results.inc()
        self._dropped.inc(result.dropped)
        self._missed.inc(result.missed)
        if result.age_ns is not None:
            self._age.observe(result.age_ns / 1e9)
        for name, lasted_ns in result.stages_ns.items():
            if name not in self._stages:
                self._stages[name] = self._stage_of.labels(self._camera, name)
            self._stages[name].observe(lasted_ns / 1e9)
        if result.state is not self._state:
            self._state = result.state
            for state, gauge in self._states.items():
                gauge.set(state is result.state)


class _Names:
    """A name as a label, or `other` once there are so many that it would never end."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        if name not in self._known and len(self._known) >= MOST_NAMES:
            return REST
        self._known.add(name)
        return name


@dataclass(frozen=True, slots=True)
class _LossesCollector:
    losses: Losses

    def collect(self) -> "Iterator[CounterMetricFamily]":
        from prometheus_client.core import CounterMetricFamily

        text = "Results and events that a sink has not written."
        family = CounterMetricFamily("stopline_sink_lost", text, labels=["sink"])
        for sink, lost in self.losses().items():
            family.add_metric([sink], lost)
        yield family


def _registry(losses: Losses) -> "CollectorRegistry":
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector
    except ImportError as error:
        raise ImportError(
            f"{error}: `pip install 'stopline[metrics]'` brings Prometheus"
        ) from error
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # memory and descriptors, to see a leak over weeks
    registry.register(_LossesCollector(losses))
    return registry


def _families(registry: "CollectorRegistry") -> _Families:
    from prometheus_client import Counter, Gauge, Histogram

    camera = ["camera"]

    def counter(name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"stopline_{name}", text, labels, registry=registry)

    def histogram(name: str, text: str, labels: list[str]) -> Histogram:
        name = f"stopline_{name}_seconds"
        return Histogram(name, text, labels, buckets=BUCKETS_S, registry=registry)

    state = Gauge(
        "stopline_camera_state", "1 for the state.", [*camera, "state"], registry=registry
    )
    level = Gauge("stopline_degraded_level", "0 is all that was asked for.", registry=registry)
    return _Families(
        results=counter(
            "results", "Frames with an answer; with the dropped ones, all of them.", camera
        ),
        dropped=counter("dropped", "Frames without an answer, the missed included.", camera),
        missed=counter("missed", "Frames whose answer was past the deadline.", camera),
        age=histogram("age", "From the grab of a frame to its answer.", camera),
        stage=histogram("stage", "One stage of an answer.", [*camera, "stage"]),
        state=state,
        alerts=counter("alerts", "Alerts that began.", [*camera, "rule"]),
        degraded=level,
    )
