"""Raw files made to take another size or any batch."""

import numpy as np
import pytest
import torch
from onnx import GraphProto, helper, numpy_helper
from torch import Tensor, nn

from stopline.export.channel_shuffle import free_channel_shuffles
from stopline.export.families import Recognised
from stopline.export.raw import ExportError, RawRunner, constants_lifted, raw_of
from stopline.export.resize import fitted, freed_target
from stopline.export.torch_onnx import raw_onnx_from_torch, torch_runner
from tests.export.tiny import HW_TINY, TinyYolox


class Shuffled(nn.Module):
    """The channel shuffle of ShuffleNetV2, as FastestDet and others write it."""

    def forward(self, images: Tensor) -> Tensor:
        both = torch.cat([images, images * 2], 1)  # 6 channels
        b, c, h, w = both.shape
        split = both.reshape(b * c // 2, 2, h * w).permute(1, 0, 2).reshape(2, -1, c // 2, h, w)
        return torch.cat([split[0], split[1] + 100], 1)


class Flattened(nn.Module):
    """Not convolutional: a layer that knows how many pixels there are."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * HW_TINY[0] * HW_TINY[1], 4)

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.layer(images.flatten(1))
        return output


@pytest.mark.parametrize(
    ("target", "shape", "freed"),
    [
        ([1, 85, -1], (1, 85, 13, 13), [0, 85, -1]),
        ([1, 85, 169], (1, 85, 13, 13), [0, 85, -1]),
        ([2, 85, -1], (2, 85, 13, 13), [2, 85, -1]),
        ([-1, 7], (1, 7, 5), [-1, 7]),  # what is free already, or not understood, stays
        ([1, 169, 85], (1, 85, 13, 13), [0, 169, 85]),
    ],
)
def test_a_flattening_reshape_loses_the_size_it_was_exported_with(
    target: list[int], shape: tuple[int, ...], freed: list[int]
) -> None:
    assert freed_target(target, shape) == freed


@pytest.mark.parametrize(("hw", "batch"), [((64, 96), 3), ((96, 160), 1), ((32, 64), 2)])
def test_a_resized_file_gives_what_the_model_gives_at_that_size(
    tiny: Recognised, hw: tuple[int, int], batch: int
) -> None:
    raw = fitted(tiny.raw, hw, batch)
    images = np.random.default_rng(0).uniform(0, 255, (batch, 3, *hw)).astype(np.float32)
    given = RawRunner("tiny", raw.model)(images)["output"]
    np.testing.assert_allclose(given, torch_runner(TinyYolox())(images), atol=1e-5)
    assert raw.input_hw == hw


def test_what_fits_already_is_left_as_it_is(tiny: Recognised) -> None:
    assert fitted(tiny.raw, HW_TINY, 1).model == tiny.raw.model


def test_a_channel_shuffle_is_freed_of_batch_and_size() -> None:
    module = Shuffled()
    raw = raw_of(raw_onnx_from_torch(module, (8, 12)), "shuffled")
    images = np.random.default_rng(0).normal(size=(2, 3, 16, 4)).astype(np.float32)
    given = RawRunner("shuffled", fitted(raw, (16, 4), 2).model)(images)["output"]
    np.testing.assert_allclose(given[0], torch_runner(module)(images[:1])[0], atol=1e-5)
    np.testing.assert_allclose(given[1], torch_runner(module)(images[1:])[0], atol=1e-5)


def test_another_transpose_between_reshapes_is_no_shuffle() -> None:
    sizes = {"a": [3, 2, 4], "b": [2, -1, 3, 2, 2]}
    graph = GraphProto(
        node=[
            helper.make_node("Reshape", ["x", "a"], ["p"]),
            helper.make_node("Transpose", ["p"], ["q"], perm=[2, 0, 1]),
            helper.make_node("Reshape", ["q", "b"], ["r"]),
            helper.make_node("Gather", ["r", "i"], ["y"]),
        ],
        initializer=[
            *(numpy_helper.from_array(np.array(size), name) for name, size in sizes.items()),
            numpy_helper.from_array(np.array(0), "i"),
        ],
        output=[helper.make_tensor_value_info("y", 1, None)],
    )
    free_channel_shuffles(graph)
    assert [node.op_type for node in graph.node] == ["Reshape", "Transpose", "Reshape", "Gather"]


def test_a_graph_that_holds_on_to_its_size_is_refused_with_the_reason() -> None:
    raw = raw_of(raw_onnx_from_torch(Flattened(), HW_TINY), "flat.onnx")
    with pytest.raises(ExportError) as refused:
        fitted(raw, (96, 160), 1)
    said = str(refused.value)
    assert "flat.onnx was exported for 1 image of 64x96" in said
    assert "export it again for 1 of 96x160" in said


def test_constants_that_are_nodes_become_initializers_of_their_own_type() -> None:
    nodes = [
        helper.make_node("Constant", [], ["scales"], value_floats=[1.0, 1.0, 2.0, 2.0]),
        helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "up", [value("x", 1, [1, 3, 4, 4])], [value("y", 1, [1, 3, 8, 8])]
    )
    lifted = constants_lifted(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]))
    (scales,) = lifted.graph.initializer
    assert numpy_helper.to_array(scales).dtype == np.float32
    assert [node.op_type for node in lifted.graph.node] == ["Resize"]
