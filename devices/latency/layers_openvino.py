"""OpenVINO's counters of each node, of the latest run (`ov::InferRequest::get_profiling_info`)."""

from collections.abc import Callable, Iterator

from stopline.runtime.arrays import Frames
from stopline.runtime.backends.backend import Graph

Opened = tuple[str, Callable[[], object], Callable[[], Iterator[tuple[str, str, float]]]]


def openvino_pass(graph: Graph, threads: int, frames: Frames) -> Opened:
    """A model of its own, compiled to count."""
    import openvino

    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERF_COUNT": True,
    }
    request = openvino.Core().compile_model(str(graph.file), "CPU", options).create_infer_request()
    took: list[tuple[str, str, float]] = []

    def run() -> None:
        request.infer({"frames": frames}, share_inputs=True)
        took.extend(
            (node.node_name, node.node_type, node.real_time.total_seconds() * 1e3)
            for node in request.profiling_info
            if node.status == openvino.ProfilingInfo.Status.EXECUTED
        )

    return "openvino", run, lambda: iter(took)
