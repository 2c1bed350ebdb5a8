"""A fault put into one place of a graph, and whether that place is named, and no other."""

import json
import math
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper

from stopline.export.bisect import BisectSettings, part
from stopline.export.half import fp16_model
from stopline.export.quantize.layers import layers
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames
from stopline.runtime.bundle import open_bundle
from stopline.runtime.sim import Road, RoadSettings
from tests.export.deep import deep_frames, deep_model
from tests.export.faults import (
    Values,
    edited,
    held,
    inputs_swapped,
    normalised_twice,
    nothing,
    one_channel_louder,
    rgb,
    sixteenfold,
    sixteenth,
    under_one_scale,
    with_after,
)
from tests.export.plain_int8 import plain_int8

LAYERS = ("stem", "wide", "deep", "flat", "down0", "head0", "down1", "head1", "head2")
DEPTHWISE = "deep"  # has one input for each filter, so none to swap


@pytest.fixture(scope="module")
def deep() -> ModelProto:
    return deep_model()


@pytest.fixture(scope="module")
def int8(deep: ModelProto) -> ModelProto:
    return plain_int8(deep, deep_frames(2))


@pytest.fixture(scope="module")
def road_nano() -> ModelProto:
    return onnx.load(open_bundle("road-nano").variant_path("fp32"))


def street(model: ModelProto) -> Frames:
    """One rendered frame, of the size that the graph takes."""
    height, width = (dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim[1:3])
    return Road(RoadSettings(width, height, seed=4)).view(1.0).image[None]


def places(model: ModelProto, broken: ModelProto, frames: Frames | None = None) -> list[str]:
    """Every place that is named, in order."""
    frames = deep_frames() if frames is None else frames
    parting = part(model, broken, frames, BisectSettings(ranked_on=0))
    return list(dict.fromkeys(each.place for each in parting.parted))


def test_a_graph_does_not_part_from_itself(deep: ModelProto) -> None:
    parting = part(deep, deep, deep_frames())
    assert parting.place is None
    assert {each.own_db for each in parting.compared} == {math.inf}
    assert str(parting) == "they part nowhere (net/output: no noise)"


def test_fp16_does_not_part_from_fp32(deep: ModelProto) -> None:
    parting = part(deep, fp16_model(deep), deep_frames())
    assert parting.place is None
    assert parting.end and parting.end.db and 50 < parting.end.db < 80
    assert {each.precision for each in parting.compared} == {"float32", "float16"}


def test_int8_does_not_part_and_its_layers_are_ranked(deep: ModelProto, int8: ModelProto) -> None:
    parting = part(deep, int8, deep_frames())
    assert parting.place is None
    assert {each.place for each in parting.contributions} == {f"net/node_{n}" for n in LAYERS}
    shares = [each.share for each in parting.contributions]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert str(parting).startswith("no layer parts by itself; their noise adds up (net/output: ")
    assert f"most of it from {parting.contributions[0].place} " in str(parting)


@pytest.mark.parametrize(
    ("layer", "what", "edit"),
    [
        *((layer, "weight", one_channel_louder) for layer in LAYERS),
        *((layer, "weight", inputs_swapped) for layer in LAYERS if layer != DEPTHWISE),
        *((layer, "bias", nothing) for layer in LAYERS),
    ],
)
def test_a_corrupted_layer_is_named_and_no_other(
    deep: ModelProto, layer: str, what: str, edit: Callable[[Values], Values]
) -> None:
    broken = edited(deep, f"net/{layer}.{what}", edit)
    assert places(deep, broken) == [f"net/node_{layer}"]


@pytest.mark.parametrize("layer", ["stem", "deep", "down1", "head1"])
def test_a_corrupted_layer_is_named_in_fp16_too(deep: ModelProto, layer: str) -> None:
    broken = fp16_model(edited(deep, f"net/{layer}.weight", one_channel_louder))
    assert places(deep, broken) == [f"net/node_{layer}"]


@pytest.mark.parametrize(
    ("layer", "edit"),
    [
        *((layer, one_channel_louder) for layer in LAYERS),
        *((layer, inputs_swapped) for layer in LAYERS if layer != DEPTHWISE),
    ],
)
def test_a_corrupted_layer_is_named_in_int8_too(
    deep: ModelProto, layer: str, edit: Callable[[Values], Values]
) -> None:
    broken = plain_int8(edited(deep, f"net/{layer}.weight", edit), deep_frames(2))
    parting = part(deep, broken, deep_frames())
    assert {each.place for each in parting.parted} == {f"net/node_{layer}"}
    if edit is inputs_swapped:
        assert parting.contributions[0].place == f"net/node_{layer}"


@pytest.mark.parametrize("edit", [sixteenth, sixteenfold])
def test_a_wrong_scale_is_named_by_the_layers_that_read_it(
    deep: ModelProto, int8: ModelProto, edit: Callable[[Values], Values]
) -> None:
    broken = edited(int8, "net/node_flat/scale", edit)
    assert places(deep, broken) == ["net/node_flat"]


def test_boxes_and_scores_under_one_scale(deep: ModelProto, int8: ModelProto) -> None:
    one_scale = under_one_scale(deep)
    for broken in (one_scale, fp16_model(one_scale), under_one_scale(int8)):
        parting = part(deep, broken, deep_frames())
        assert parting.place == "net/output/quantized"
        assert all(each.tensor.startswith("decode/") for each in parting.parted)


def test_swapped_colours(deep: ModelProto, int8: ModelProto) -> None:
    for model in (deep, int8):
        assert places(deep, rgb(model)) == ["prepare/swap"]


def test_a_wrong_normalisation(deep: ModelProto) -> None:
    assert places(deep, normalised_twice(deep)) == ["prepare/Mul"]


def test_a_wrong_decode(deep: ModelProto) -> None:
    strides = next(node.input[1] for node in deep.graph.node if node.name.startswith("decode/Mul"))
    (place,) = places(deep, edited(deep, strides, sixteenfold))
    assert place.startswith("decode/Mul")


def test_an_overflow_of_float16_is_named_where_it_happens(deep: ModelProto) -> None:
    hot = edited(deep, "net/deep.bias", lambda values: values + np.float32(6e4))
    hot = edited(hot, "net/flat.weight", lambda values: np.abs(values))
    parting = part(hot, fp16_model(hot), deep_frames())
    assert parting.first and parting.first.own_db == -math.inf
    assert parting.place == "net/node_flat"
    assert "nothing but noise" in str(parting)
    json.dumps(parting.as_json(), allow_nan=False)


def test_what_a_pass_puts_before_a_layer_is_the_layers(deep: ModelProto) -> None:
    scaled = held(deep, "net/sum/factor", np.array(0.5, np.float32))
    ends = ["net/sum", "net/sum/factor"]
    added = [helper.make_node("Mul", ends, ["net/sum/scaled"], "net/sum/scaled")]
    parting = part(deep, with_after(scaled, "net/sum", added), deep_frames())
    assert parting.place == "net/node_down0"
    assert parting.first and parting.first.through == ("net/sum/scaled",)


REAL = ("net/conv2d_1", "net/conv2d_40", "net/node_conv2d_107")  # depthwise, deep within, a head


def test_road_nano_parts_where_it_was_broken_and_nowhere_else(road_nano: ModelProto) -> None:
    frames = street(road_nano)
    sound = part(road_nano, fp16_model(road_nano), frames)
    assert sound.place is None
    assert sound.end and sound.end.db and 30 < sound.end.db < 60
    broken = road_nano
    for layer in layers(road_nano):
        if layer.name in REAL:
            broken = edited(broken, layer.weight, one_channel_louder)
    assert places(road_nano, fp16_model(broken), frames) == list(REAL)


def test_min_max_int8_of_road_nano_parts_at_a_depthwise_layer(road_nano: ModelProto) -> None:
    frames = street(road_nano)
    parting = part(road_nano, plain_int8(road_nano, frames), frames, BisectSettings(ranked_on=0))
    assert parting.first
    assert parting.first.op == "depthwise Conv"


def test_a_few_tensors_at_a_time_give_the_same(deep: ModelProto, int8: ModelProto) -> None:
    whole = part(deep, int8, deep_frames(1))
    pieces = part(deep, int8, deep_frames(1), BisectSettings(mib=0))
    assert pieces.compared == whole.compared
    assert [each.place for each in pieces.contributions] == [
        each.place for each in whole.contributions
    ]


def test_another_graph_is_refused(deep: ModelProto) -> None:
    other = ModelProto()
    other.CopyFrom(deep)
    for node in other.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                names[index] = name.replace("net/", "web/")
    with pytest.raises(ExportError, match="tensors have their names in both graphs"):
        part(deep, other, deep_frames())


def test_no_frames_is_an_error(deep: ModelProto) -> None:
    with pytest.raises(ExportError, match="no frames"):
        part(deep, deep, deep_frames(0))
