"""Where the time of a model goes, layer by layer, by the profiler of the backend that runs it.

In a pass of its own: a profiler slows down what it looks at, and what it says is shares.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from stopline.devices.latency.closed_loop import Query, Run, query_of
from stopline.devices.latency.layers_onnxruntime import onnxruntime_pass
from stopline.devices.latency.layers_openvino import openvino_pass
from stopline.devices.latency.layers_tensorrt import tensorrt_pass
from stopline.devices.latency.report import Layer, Layers
from stopline.devices.latency.waiting import Waiting
from stopline.runtime.arrays import Frames, Image
from stopline.runtime.backends.backend import Graph
from stopline.runtime.detector import Detector
from stopline.runtime.letterbox import letterbox
from stopline.runtime.sinks.tally import percentile

RUNS = 30
# Nodes that compute nothing: they lay data out as the next one wants it, or change its type.
REFORMATS = (
    *("reorder", "reformat", "transpose", "permute", "cast", "convert", "copy", "shuffle"),
    *("memcpy", "reshape", "squeeze", "identity", "quantizelinear", "noop", "constshuffle"),
)

Took = Iterable[tuple[str, str, float]]  # name, kind and ms of a node, summed over all runs


def layers_of(detector: Detector, threads: int, images: Sequence[Image]) -> Layers | None:
    """None for a backend that has no profiler of its own."""
    graph = Graph(detector.bundle, detector.precision)
    frames = _laid(graph, images[0])
    opened = {
        "onnxruntime": onnxruntime_pass,
        "openvino": openvino_pass,
        "tensorrt": tensorrt_pass,
    }.get(detector.backend)
    if opened is None:
        return None
    tool, run, nodes = opened(graph, threads, frames)
    plain, profiled = query_of(detector, images), _clocked(run)
    in_turn = [(plain().own_ms, profiled().own_ms) for _ in range(RUNS)]
    without, with_it = (percentile(one, 0.5) for one in zip(*in_turn, strict=True))
    return _summed(tool, nodes(), with_it / without if with_it and without else None)


def _clocked(run: Callable[[], object]) -> Query:
    waiting = Waiting()

    def query() -> Run:
        waited_ns, began_ns = waiting(), time.monotonic_ns()
        run()
        ended_ns, after_ns = time.monotonic_ns(), waiting()
        waited = None if waited_ns is None or after_ns is None else (after_ns - waited_ns) / 1e6
        return Run(ended_ns, (ended_ns - began_ns) / 1e6, (ended_ns - began_ns) / 1e6, waited)

    return query


def _summed(tool: str, took: Took, slowdown: float | None) -> Layers:
    sums: Counter[tuple[str, str]] = Counter()
    for name, kind, ms in took:
        sums[name, kind] += ms  # type: ignore[assignment]  # typeshed: only of int
    whole = sum(sums.values()) or 1.0
    layers = [
        Layer(
            name=name,
            kind=kind,
            ms=round(ms / RUNS, 4),
            share=ms / whole,
            reformat=is_reformat(kind),
        )
        for (name, kind), ms in sums.most_common()
    ]
    share = sum(layer.share for layer in layers if layer.reformat)
    return Layers(tool=tool, runs=RUNS, slowdown=slowdown, reformat_share=share, layers=layers)


def is_reformat(kind: str) -> bool:
    """By the name of its kind, in whatever dialect."""
    low = kind.lower()
    return any(low.startswith(word) or low.endswith(word) for word in REFORMATS)


def _laid(graph: Graph, image: Image) -> Frames:
    shape = graph.shape
    frames: Frames = np.empty((1, shape.height, shape.width, 3), np.uint8)
    letterbox(image, frames[0], shape.resize, shape.pad)
    return frames
