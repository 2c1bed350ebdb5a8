"""Where the time of a model goes, by the profilers of backends that run here."""

from pathlib import Path

import numpy as np
import pytest

from stopline.devices.latency.layers import RUNS, is_reformat, layers_of
from stopline.devices.latency.layers_onnxruntime import nodes_in
from stopline.runtime.detector import Detector, DetectorSettings
from tests.runtime.tiny import tiny_bundle

IMAGES = [np.full((64, 96, 3), 90, np.uint8)]


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_layers_of_a_backend_sum_to_all_of_its_time(tmp_path: Path, backend: str) -> None:
    settings = DetectorSettings(backend=backend, threads=1)
    with Detector(tiny_bundle(tmp_path / "tiny"), settings=settings) as detector:
        found = layers_of(detector, 1, IMAGES)
    assert found is not None
    assert (found.tool, found.runs) == (backend, RUNS)
    assert sum(layer.share for layer in found.layers) == pytest.approx(1)
    assert [layer.ms for layer in found.layers] == sorted(
        (layer.ms for layer in found.layers), reverse=True
    )
    assert any(
        "conv" in layer.kind.lower() or "pool" in layer.kind.lower() for layer in found.layers
    )


def test_a_backend_without_a_profiler_has_no_layers(tmp_path: Path) -> None:
    settings = DetectorSettings(backend="exact", threads=1)
    with Detector(tiny_bundle(tmp_path / "tiny"), settings=settings) as detector:
        assert layers_of(detector, 1, IMAGES) is None


@pytest.mark.parametrize(
    ("kind", "whether"),
    [
        ("ReorderInput", True),
        ("Transpose", True),
        ("DequantizeLinear", True),
        ("Cast", True),
        ("Reorder", True),
        ("Conv", False),
        ("FusedConv", False),
        ("Convolution", False),
        ("MaxPool", False),
        ("Concat", False),
    ],
)
def test_what_only_lays_data_out_is_a_reformat(kind: str, whether: bool) -> None:
    assert is_reformat(kind) is whether


def test_events_that_are_no_nodes_are_passed_over() -> None:
    events: list[dict[str, object]] = [
        {"cat": "Session", "name": "model_run", "dur": 900},
        {"cat": "Node", "name": "conv_fence_before", "dur": 1, "args": {"op_name": "Conv"}},
        {"cat": "Node", "name": "conv_kernel_time", "dur": 250, "args": {"op_name": "Conv"}},
        {"cat": "Node", "name": "odd_kernel_time", "dur": "?", "args": {"op_name": "Conv"}},
    ]
    assert list(nodes_in(events)) == [("conv", "Conv", 0.25)]
