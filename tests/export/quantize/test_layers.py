"""What counts as a layer, and how much of a graph is INT8 by what the graph itself says."""

import pytest
from onnx import ModelProto, helper

from stopline.export.quantize.int8 import int8_model, prepared
from stopline.export.quantize.layers import head_outputs, int8_share, layers
from tests.export.quantize.nets import DEPTHWISE, HEAD, HW, POINTWISE, STEM, net, scenes

PIXELS = HW[0] * HW[1]
MACS = {
    STEM: 8 * 27 * PIXELS,
    DEPTHWISE: 8 * 9 * PIXELS,
    POINTWISE: 16 * 8 * PIXELS,
    HEAD: 5 * 16 * PIXELS,
}


def test_layers_are_known_by_kind_and_counted_in_macs() -> None:
    found = layers(net())
    assert [layer.kind for layer in found] == ["dense", "depthwise", "pointwise", "pointwise"]
    assert {layer.name: layer.macs for layer in found} == MACS


def test_a_layer_outside_the_net_is_none() -> None:
    model = net()
    next(node for node in model.graph.node if node.name == HEAD).name = "decode/head"
    assert [layer.name for layer in layers(model)] == [STEM, DEPTHWISE, POINTWISE]


def test_a_product_of_two_things_that_flow_is_no_layer() -> None:
    model = net()
    model.graph.node.append(
        helper.make_node("MatMul", [f"{HEAD}/output"] * 2, ["net/attention"], "net/attention")
    )
    assert "net/attention" not in {layer.name for layer in layers(model)}


def test_only_what_no_layer_follows_is_an_output_of_the_head() -> None:
    assert head_outputs(net()) == {HEAD}


def test_the_share_is_read_from_the_graph() -> None:
    model = net()
    assert int8_share(model) == 0
    recipe = prepared(model, scenes())
    assert int8_share(recipe.model([])) == 1
    wanted = (MACS[STEM] + MACS[POINTWISE]) / sum(MACS.values())
    assert int8_share(recipe.model([DEPTHWISE, HEAD])) == pytest.approx(wanted)
    assert int8_model(model, scenes()).int8_macs == pytest.approx(wanted)


def test_a_layer_with_only_one_operand_in_int8_does_not_count() -> None:
    model = prepared(net(), scenes()).model([])
    _without_dequantized(model, STEM)
    assert int8_share(model) == pytest.approx(1 - MACS[STEM] / sum(MACS.values()))


def _without_dequantized(model: ModelProto, name: str) -> None:
    (layer,) = (node for node in model.graph.node if node.name == name)
    layer.input[0] = "prepare/images"
