"""The gate between a detector and its bundle: what it lets pass, and what it does not."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from stopline.export.bundle import FP32, quick_bundle
from stopline.export.families import Recognised
from stopline.export.parity import Parity, ParityError, check_parity
from stopline.export.torch_onnx import torch_runner
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle, write_bundle
from tests.export.tiny import BLUE, HW_TINY, TinyYolox, painted, tiny_about

SCENES = [painted((8, 8, 40, 40)), painted((50, 20, 90, 60), BLUE)]
GREY = painted((0, 0, 0, 0))


@pytest.fixture
def bundle(tiny: Recognised, tmp_path: Path) -> Bundle:
    return quick_bundle(tmp_path / "tiny", tiny, tiny_about())


def checked(bundle: Bundle, tiny: Recognised, scenes: list[Image]) -> Parity:
    return check_parity(bundle, tiny.family, torch_runner(TinyYolox()), scenes)


def changed(bundle: Bundle, initializer: str, by: float) -> Bundle:
    """The same bundle with one constant of its graph multiplied."""
    model = onnx.load(bundle.path / FP32)
    (found,) = [one for one in model.graph.initializer if one.name == initializer]
    found.CopyFrom(
        numpy_helper.from_array(numpy_helper.to_array(found) * np.float32(by), found.name)
    )
    return write_bundle(bundle.path, bundle.manifest, {FP32: model.SerializeToString()})


def weights_of(bundle: Bundle, op: str) -> str:
    """The name of the second input of the first such node."""
    nodes = onnx.load(bundle.path / FP32).graph.node
    name: str = next(node.input[1] for node in nodes if node.op_type == op)
    return name


def test_a_bundle_and_its_torch_model_find_the_same(bundle: Bundle, tiny: Recognised) -> None:
    parity = checked(bundle, tiny, SCENES)
    assert parity.matched == 1
    assert parity.boxes > 20
    assert parity.images == 2
    assert parity.max_score_difference < 1e-5
    assert parity.max_corner_px < 1e-3


def test_frames_of_another_shape_are_compared_through_the_letterbox(
    bundle: Bundle, tiny: Recognised
) -> None:
    tall = np.full((300, 200, 3), 114, np.uint8)
    tall[40:160, 30:150] = (0, 0, 255)
    assert checked(bundle, tiny, [tall]).boxes > 5


def test_a_graph_with_weaker_weights_fails_with_the_numbers(
    bundle: Bundle, tiny: Recognised
) -> None:
    broken = changed(bundle, weights_of(bundle, "Conv"), 0.8)
    with pytest.raises(ParityError, match=r"tiny does not find .*% of \d+ boxes in 2 images"):
        checked(broken, tiny, SCENES)


def test_a_graph_whose_boxes_are_off_fails_though_every_score_is_right(
    bundle: Bundle, tiny: Recognised
) -> None:
    model = onnx.load(bundle.path / FP32)
    nodes = [node for node in model.graph.node if node.name.startswith("decode/Mul")]
    broken = changed(bundle, nodes[0].input[1], 1.2)  # the strides
    with pytest.raises(ParityError, match="does not find what its source finds"):
        checked(broken, tiny, SCENES)


def test_two_empty_answers_are_no_evidence(bundle: Bundle, tiny: Recognised) -> None:
    with pytest.raises(ParityError, match="nothing to compare: give images"):
        checked(bundle, tiny, [np.zeros((*HW_TINY, 3), np.uint8)])


def test_a_bundle_that_finds_nothing_where_its_source_does_fails(
    bundle: Bundle, tiny: Recognised
) -> None:
    blind = changed(bundle, weights_of(bundle, "Conv"), -1)
    with pytest.raises(ParityError, match=r"0\.00% of"):
        checked(blind, tiny, SCENES[:1])
