"""The order of calls around an engine, on a stand-in for a GPU; nothing here ran on a real one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.tiny import HERE, red_square, tiny_bundle, tiny_manifest

pytest.importorskip("onnxruntime")

from stopline.runtime.arrays import Frames
from stopline.runtime.backends.backend import BackendError, Graph
from stopline.runtime.backends.cuda import Cuda
from stopline.runtime.backends.onnxruntime_backend import open_cpu
from stopline.runtime.backends.tensorrt_backend import TensorRT, open_tensorrt
from tests.runtime.backends.host_gpu import HostCuda, HostTensorRT
from tests.runtime.engines import record_for, shelve

PLAN = (HERE / "tiny.onnx").read_bytes()
SHAPE = tiny_manifest().input


@pytest.fixture
def host() -> HostCuda:
    return HostCuda()


@pytest.fixture
def backend(host: HostCuda) -> Iterator[TensorRT]:
    opened = TensorRT(PLAN, SHAPE, HostTensorRT(host), Cuda(host))
    yield opened
    opened.close()


def paint(frames: Frames) -> None:
    for slot, frame in enumerate(frames):
        frame[:] = red_square((64, 96), (16 * slot, 16, 16 * slot + 16, 32))


def test_every_batch_size_gives_what_the_graph_gives(backend: TensorRT) -> None:
    other = open_cpu(HERE / "tiny.onnx", SHAPE, 1)
    paint(backend.frames)
    paint(other.frames)
    for count in (1, 4, 2, 1, 4):
        for ours, theirs in zip(backend.run(count), other.run(count), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


def test_new_frames_give_new_boxes(backend: TensorRT) -> None:
    for x in (0, 40, 80):
        backend.frames[0] = red_square((64, 96), (x, 8, x + 8, 16))
        found = backend.run(1)
        assert found.boxes[0, 0].tolist() == [x, 8, x + 8, 16]


def test_nothing_is_allocated_after_the_first_run_of_a_size(
    backend: TensorRT, host: HostCuda
) -> None:
    backend.run(1)
    before = host.allocations
    addresses = {out.ctypes.data for out in backend.run(1)}
    for _ in range(5):
        assert {out.ctypes.data for out in backend.run(1)} == addresses
    assert host.allocations == before


def test_a_size_is_recorded_once_and_then_launched(backend: TensorRT, host: HostCuda) -> None:
    for count in (1, 1, 1, 4, 4):
        backend.run(count)
    assert len(host.graphs) == 2
    assert host.launched == 5


def test_a_context_that_cannot_be_recorded_runs_without_a_graph(host: HostCuda) -> None:
    backend = TensorRT(PLAN, SHAPE, HostTensorRT(host, capturable=False), Cuda(host))
    backend.frames[0] = red_square((64, 96), (8, 8, 16, 16))
    for _ in range(2):
        assert backend.run(1).boxes[0, 0].tolist() == [8, 8, 16, 16]
    assert (len(host.graphs), host.launched) == (0, 0)


def test_everything_is_given_back(host: HostCuda) -> None:
    backend = TensorRT(PLAN, SHAPE, HostTensorRT(host), Cuda(host))
    backend.run(1)
    backend.run(3)
    backend.close()
    backend.close()
    assert not (host.memory or host.streams or host.graphs)
    assert backend.frames.size == 0  # a write to memory that was freed would end the process


def test_an_error_of_cuda_is_one_line(backend: TensorRT, host: HostCuda) -> None:
    host.broken = True
    told = r"^CUDA cannot run the engine: an illegal memory access was encountered \(error 700\)$"
    with pytest.raises(BackendError, match=told):
        backend.run(1)
    host.broken = False


def test_a_plan_that_tensorrt_refuses_is_told_in_its_words(host: HostCuda) -> None:
    with pytest.raises(BackendError, match="tensorrt refuses the plan: Serialization assertion"):
        TensorRT(b"broken", SHAPE, HostTensorRT(host), Cuda(host))
    assert not host.memory


def test_an_engine_of_another_input_is_refused(host: HostCuda) -> None:
    other = tiny_manifest().input.__class__(height=64, width=64, batch=4)
    with pytest.raises(BackendError, match="the engine takes"):
        TensorRT(PLAN, other, HostTensorRT(host), Cuda(host))


def test_without_a_gpu_the_engine_of_a_bundle_is_refused_with_the_reason(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny")
    shelve(bundle, record_for(bundle))
    with pytest.raises(BackendError) as refused:
        open_tensorrt(Graph(bundle, "fp32"), 1)
    assert "\n" not in str(refused.value)
