"""The binding code of the GPU providers, on the CPU's memory: no machine here has a GPU."""

import os
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.backends.backend import Graph, NotHere
from stopline.runtime.backends.onnxruntime_backend import (
    CPU,
    make_session,
    open_cpu,
    session_options,
)
from stopline.runtime.backends.onnxruntime_gpu import (
    CAUSE,
    CUDA,
    PROBE,
    BoundOnnxRuntime,
    provider_failure,
    tensorrt_options,
)
from stopline.runtime.backends.overheard import overheard
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector
from stopline.runtime.letterbox import letterbox
from tests.runtime.tiny import red_square, tiny_bundle

ort = pytest.importorskip("onnxruntime")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "tiny")


def bound(bundle: Bundle) -> BoundOnnxRuntime:
    graph = Graph(bundle, "fp32")
    session = make_session(graph.file, [(CPU, {})], session_options(1))
    return BoundOnnxRuntime("cuda", graph, session, device="cpu")


def test_a_bound_session_gives_what_an_unbound_one_gives(bundle: Bundle) -> None:
    some = bound(bundle)
    other = open_cpu(bundle.variant_path(), bundle.manifest.input, 1)
    for backend in (some, other):
        for slot in range(3):
            scene = red_square((64, 96), (8 * slot, 16, 8 * slot + 16, 32))
            letterbox(scene, backend.frames[slot], "letterbox_top_left", 114)
    for count in (3, 1, 2, 3):
        for left, right in zip(some.run(count), other.run(count), strict=True):
            assert left.dtype == right.dtype
            assert left.shape == right.shape
            np.testing.assert_array_equal(left, right)


def test_new_frames_give_new_boxes_in_the_same_memory(bundle: Bundle) -> None:
    backend = bound(bundle)
    backend.frames[:] = 0
    empty = backend.run(1)
    address, best = empty.scores.ctypes.data, float(empty.scores[0, 0])
    backend.frames[0] = red_square((64, 96), (8, 8, 16, 16))
    again = backend.run(1)
    assert again.scores.ctypes.data == address
    assert best < 0.1 < 0.9 < float(again.scores[0, 0])
    assert again.boxes[0, 0].tolist() == [8, 8, 16, 16]


def test_a_provider_that_works_is_found_by_running_it() -> None:
    assert provider_failure(CPU) is None


def test_a_provider_that_is_not_there_is_told() -> None:
    if CUDA in ort.get_available_providers():
        pytest.skip("it is there")
    failure = provider_failure(CUDA)
    assert failure is not None
    assert "CUDAExecutionProvider" in failure


def test_the_probe_is_as_it_was_made() -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.ModelProto.FromString(PROBE)
    onnx.checker.check_model(model, full_check=True)
    [node] = model.graph.node
    assert (node.op_type, list(node.input), list(node.output)) == ("Add", ["x", "x"], ["y"])


def test_the_cause_is_found_in_what_onnxruntime_logs() -> None:
    """As onnxruntime-gpu 1.31.1 wrote it on a machine with CUDA's libraries and without a GPU."""
    logged = (
        "[E:onnxruntime:Default, provider_bridge_ort.cc:2458 operator()] /onnxruntime_src/provider_"
        "bridge_ort.cc:2043 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() "
        "[ONNXRuntimeError] : 1 : FAIL : Failed to load library /x/libonnxruntime_providers_cuda.so"
        " with error: libcuda.so.1: cannot open shared object file: No such file or directory\n"
        "[W:onnxruntime:Default] Failed to create CUDAExecutionProvider. Require cuDNN 9.*\n"
    )
    cause = CAUSE.search(logged)
    assert cause is not None
    assert cause[1] == "libcuda.so.1: cannot open shared object file: No such file or directory"


def test_what_a_library_says_is_kept_from_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with overheard() as heard:
        os.write(2, b"libcuda.so.1\n")
    os.write(2, b"after\n")
    assert heard.text == "libcuda.so.1\n"
    assert capfd.readouterr().err == "after\n"


def test_a_missing_provider_is_an_absence_and_not_a_failure(bundle: Bundle) -> None:
    if CUDA in ort.get_available_providers():
        pytest.skip("it is there")
    with pytest.raises(NotHere, match="no CUDAExecutionProvider"):
        make_session(bundle.variant_path(), [(CUDA, {})], session_options(1))


def test_tensorrt_lowers_no_precision_that_the_graph_does_not_use(tmp_path: Path) -> None:
    cache = tmp_path / "engines" / "onnxruntime"
    fp32 = tensorrt_options("fp32", cache)
    assert (fp32["trt_fp16_enable"], fp32["trt_int8_enable"]) == ("0", "0")
    int8 = tensorrt_options("int8", cache)
    assert (int8["trt_fp16_enable"], int8["trt_int8_enable"]) == ("0", "1")
    assert int8["trt_engine_cache_path"] == str(cache)


def test_a_cpu_build_of_onnxruntime_is_no_failure_to_report(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with Detector(tiny_bundle(tmp_path / "tiny")) as detector:
        assert not any("cuda" in reason for reason in detector.passed_over)
