"""ONNX Runtime's own profile: an event for every node and run, in a file of Chrome's trace format.

https://onnxruntime.ai/docs/performance/tune-performance/profiling-tools.html
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from stopline.runtime.arrays import Frames
from stopline.runtime.backends.backend import Graph
from stopline.runtime.backends.onnxruntime_backend import (
    CPU,
    OUTPUTS,
    make_session,
    session_options,
)

AFTER = "_kernel_time"  # before it, the name of the node

Opened = tuple[str, Callable[[], object], Callable[[], Iterator[tuple[str, str, float]]]]


def onnxruntime_pass(graph: Graph, threads: int, frames: Frames) -> Opened:
    """A session of its own, that profiles."""
    folder = tempfile.TemporaryDirectory(prefix="stopline-profile-")
    options = session_options(threads)
    options.enable_profiling = True
    options.profile_file_prefix = str(Path(folder.name) / "trace")
    session = make_session(graph.file, [(CPU, {})], options)

    def nodes() -> Iterator[tuple[str, str, float]]:
        trace = Path(session.end_profiling())
        try:
            yield from nodes_in(json.loads(trace.read_bytes()))
        finally:
            folder.cleanup()

    return "onnxruntime", lambda: session.run(OUTPUTS, {"frames": frames}), nodes


def nodes_in(events: list[dict[str, object]]) -> Iterator[tuple[str, str, float]]:
    """Name, kind and milliseconds of each run of each node."""
    for event in events:
        about = event.get("args")
        name = str(event.get("name", ""))
        if event.get("cat") != "Node" or not name.endswith(AFTER) or not isinstance(about, dict):
            continue
        took_us = event.get("dur")
        if isinstance(took_us, (int, float)):
            yield name.removesuffix(AFTER), str(about.get("op_name", "")), took_us / 1e3
