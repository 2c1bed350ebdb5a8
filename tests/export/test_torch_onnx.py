"""Torch models as raw ONNX, traced once and filled again."""

import copy

import numpy as np
import pytest
import torch

from stopline.export.raw import RawRunner
from stopline.export.torch_onnx import TracedModule, torch_runner
from tests.export.tiny import HW_TINY, TinyFastestDet, TinyYolox


@pytest.fixture(scope="module")
def traced() -> TracedModule:
    return TracedModule(TinyYolox(), HW_TINY)


def images() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).uniform(0, 255, (1, 3, *HW_TINY)).astype(np.float32)


def retrained() -> TinyYolox:
    """Other weights, and other statistics of the BatchNorm."""
    module = TinyYolox()
    module.purity.conv.weight.data *= 1.5
    module.purity.norm.running_mean = torch.full((2,), 0.4)
    module.purity.norm.weight.data *= 0.7
    return module


@pytest.mark.parametrize("module", [TinyYolox(), retrained()], ids=["traced", "retrained"])
def test_the_file_gives_what_the_module_gives(traced: TracedModule, module: TinyYolox) -> None:
    given = RawRunner("tiny", traced.filled(module))(images())["output"]
    np.testing.assert_allclose(given, torch_runner(module)(images()), atol=1e-6)


def test_filling_leaves_the_trace_as_it_was(traced: TracedModule) -> None:
    before = traced.filled(TinyYolox())
    traced.filled(retrained())
    assert traced.filled(TinyYolox()) == before


def test_the_module_is_left_in_training_with_its_weights() -> None:
    module = TinyYolox().train()
    before = copy.deepcopy(module.state_dict())
    TracedModule(module, (32, 32))
    torch_runner(module)(np.zeros((1, 3, 32, 32), np.float32))
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_another_module_is_refused(traced: TracedModule) -> None:
    other = TinyFastestDet()
    other.purity.register_buffer("scale", torch.ones(1))
    with pytest.raises(ValueError, match="not the module that was traced"):
        traced.filled(other)


def test_half_precision_weights_become_float32(traced: TracedModule) -> None:
    types = {weight.data_type for weight in traced.filled(TinyYolox().half()).graph.initializer}
    assert 10 not in types  # FLOAT16
