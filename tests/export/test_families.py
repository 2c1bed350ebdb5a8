"""What the families take for theirs, and their maths as numpy and as ONNX."""

from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch
from onnx import GraphProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from stopline.export.families import FAMILIES, Recognised, recognised
from stopline.export.families.family import Family
from stopline.export.raw import HW, ExportError, Floats, raw_of
from stopline.export.tensor import Nodes, sigmoid
from stopline.export.torch_onnx import raw_onnx_from_torch
from tests.export.tiny import HW_TINY, TinyYolox


def evaluated(maths: Callable[[Floats], Floats], x: Floats) -> Floats:
    """`maths` traced into a graph, and that run on `x`."""
    graph = GraphProto(name="maths")
    value = helper.make_tensor_value_info
    graph.input.append(value("x", TensorProto.FLOAT, x.shape))
    traced = maths(cast(Floats, Nodes(graph, "y").tensor("x", x.shape)))
    name = cast(Nodes, traced).name  # type: ignore[attr-defined]
    graph.output.append(value(name, TensorProto.FLOAT, None))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    (given,) = ReferenceEvaluator(model).run(None, {"x": x})
    return cast(Floats, given)


class Logits(TinyYolox):
    """A YOLOX without the sigmoid on its scores."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).logit(eps=1e-6)


class Decoded(TinyYolox):
    """A YOLOX that decodes its boxes itself, as --decode_in_inference makes it."""

    def forward(self, images: Tensor) -> Tensor:
        raw = super().forward(images)
        return torch.cat([raw[..., :2] * 8, raw[..., 2:4].exp() * 8, raw[..., 4:]], -1)


class Classifier(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("part", ["boxes", "scores"])
def test_a_decode_gives_the_same_as_numpy_and_as_onnx(family: Family, part: str) -> None:
    hw: HW = (64, 96)
    shape = {"yolox": (2, 126, 9), "fastestdet": (2, 9, 4, 6), "ultralytics": (2, 8, 126)}[
        family.name
    ]
    raw = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)

    def decode(x: Floats) -> Floats:
        return cast(Floats, getattr(family.decode(x, hw), part))

    wanted = decode(raw)
    assert wanted.shape == (2, {"fastestdet": 24}.get(family.name, 126), 4)
    np.testing.assert_allclose(evaluated(decode, raw), wanted, rtol=1e-5, atol=1e-4)


def test_a_sigmoid_is_one_node() -> None:
    x = np.array([[-2.0, 0.0, 3.0]], np.float32)
    np.testing.assert_allclose(evaluated(sigmoid, x), 1 / (1 + np.exp(-x)), rtol=1e-6)


def test_numpy_without_an_onnx_counterpart_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="sinh"):
        evaluated(np.sinh, np.zeros((1, 2), np.float32))
    with pytest.raises(TypeError, match="sort"):
        evaluated(np.sort, np.zeros((1, 2), np.float32))


def test_a_file_of_no_family_is_refused_with_what_it_gives_and_what_each_wants() -> None:
    raw = raw_of(raw_onnx_from_torch(Classifier(), HW_TINY), "classifier.onnx")
    with pytest.raises(ExportError) as refused:
        recognised(raw)
    said = str(refused.value)
    assert "classifier.onnx is of no known family: at 64x96 it gives output (1, 3)" in said
    assert all(f"{family.name} gives {family.gives}" in said for family in FAMILIES)


def test_a_file_of_one_family_is_not_taken_for_another(tiny: Recognised) -> None:
    assert recognised(tiny.raw, "yolox").family.name == "yolox"
    with pytest.raises(ExportError, match=r"not of the family fastestdet: .*126"):
        recognised(tiny.raw, "fastestdet")


@pytest.mark.parametrize("module", [Logits(), Decoded()], ids=["logits", "decoded"])
def test_a_yolox_that_looks_right_but_means_something_else_is_refused(module: nn.Module) -> None:
    raw = raw_of(raw_onnx_from_torch(module, HW_TINY), "lookalike.onnx")
    assert raw.output.shape == (1, 126, 7)
    with pytest.raises(ExportError, match="decode_in_inference"):
        recognised(raw, "yolox")
