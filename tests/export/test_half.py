"""FP16 in the graph: what is float16, what is not, and what a CPU makes of it."""

from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from stopline.export.half import fp16_model
from stopline.export.half_rounded import rounded_model
from stopline.export.headroom import half_headroom, refuse_overflow
from stopline.export.intermediate import Inside, typed_values
from stopline.export.raw import ExportError
from stopline.export.tensorrt_check import build_plan
from stopline.runtime.bundle import open_bundle
from tests.export.deep import deep_frames, deep_model
from tests.export.plain_int8 import plain_int8
from tests.export.running import run_with_onnxruntime, run_with_openvino

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT
TINY = np.float32(2**-12)  # 1 + TINY is 1 in float16


@pytest.fixture(scope="module")
def deep() -> ModelProto:
    return deep_model()


@pytest.fixture(scope="module")
def road_nano() -> ModelProto:
    return onnx.load(open_bundle("road-nano").variant_path("fp32"))


def kinds(model: ModelProto) -> dict[str, int]:
    """The type of every tensor, weights included."""
    types = {name: value.type.tensor_type.elem_type for name, value in typed_values(model).items()}
    return types | {weight.name: weight.data_type for weight in model.graph.initializer}


def with_weight(model: ModelProto, name: str, value: float) -> ModelProto:
    """One number of a weight set, in a copy."""
    copy = ModelProto()
    copy.CopyFrom(model)
    weight = next(weight for weight in copy.graph.initializer if weight.name == name)
    values = numpy_helper.to_array(weight).copy()
    values.flat[0] = value
    weight.CopyFrom(numpy_helper.from_array(values, name))
    return copy


def small(nodes: list[onnx.NodeProto], weights: dict[str, float]) -> ModelProto:
    """`frames` float32 (1, 4) → `gives` float32 (1, 4)."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("frames", FLOAT, [1, 4])],
        [value("gives", FLOAT, [1, 4])],
        [numpy_helper.from_array(np.array([of], np.float32), name) for name, of in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    checker.check_model(model, full_check=True)
    return model


def chain(*ops: str) -> ModelProto:
    """Nodes of `net/` after each other, then one of `decode/`."""
    names = ["frames", *(f"net/{index}" for index in range(len(ops)))]
    nodes = [
        helper.make_node(op, [read], [gives], gives)
        for op, read, gives in zip(ops, names[:-1], names[1:], strict=True)
    ]
    return small([*nodes, helper.make_node("Neg", [names[-1]], ["gives"], "decode/Neg")], {})


def test_the_net_is_float16_and_the_rest_is_not(deep: ModelProto) -> None:
    half = fp16_model(deep)
    before, after = kinds(deep), kinds(half)
    assert before.keys() <= after.keys()  # names are kept
    floats = {name for name, kind in before.items() if kind == FLOAT}
    of_net = {name for name in floats if name.startswith("net/")}
    assert {after[name] for name in of_net} == {HALF}
    assert {after[name] for name in floats - of_net} == {FLOAT}


def test_casts_stand_at_the_borders_alone(deep: ModelProto) -> None:
    half = fp16_model(deep)
    names = Counter(node.name for node in half.graph.node)
    assert max(names.values()) == 1
    added = names.keys() - {node.name for node in deep.graph.node}
    assert added == {"prepare/Transpose_1_0/half", "net/output/float"}


def test_the_file_is_half_the_size_and_the_graph_is_left_alone(road_nano: ModelProto) -> None:
    before = road_nano.SerializeToString()
    half = fp16_model(road_nano).SerializeToString()
    assert road_nano.SerializeToString() == before
    assert len(half) < 0.53 * len(before)


def test_it_finds_what_fp32_finds(deep: ModelProto) -> None:
    frames = deep_frames(1)
    whole = run_with_onnxruntime(deep, frames)
    for variant in (fp16_model(deep), rounded_model(fp16_model(deep))):
        half = run_with_onnxruntime(variant, frames)
        assert np.abs(half.scores - whole.scores).max() < 2e-3
        assert half.boxes.dtype == half.scores.dtype == np.float32


def test_a_layer_stays_in_float_with_casts_around_it(deep: ModelProto) -> None:
    half = fp16_model(deep, ["net/node_deep"])
    types = kinds(half)
    assert types["net/deep"] == types["net/deep.weight"] == types["net/deep.bias"] == FLOAT
    assert types["net/flat"] == types["net/flat.weight"] == HALF
    added = {node.name for node in half.graph.node} - {node.name for node in deep.graph.node}
    assert {"net/wide.silu/float", "net/deep/half"} < added


def test_a_weight_that_both_types_read_is_stored_as_both() -> None:
    nodes = [
        helper.make_node("Mul", ["frames", "w"], ["net/0"], "net/first"),
        helper.make_node("Mul", ["net/0", "w"], ["net/1"], "net/second"),
        helper.make_node("Neg", ["net/1"], ["gives"], "decode/Neg"),
    ]
    half = fp16_model(small(nodes, {"w": 2.0}), ["net/second"])
    assert kinds(half)["w"] == FLOAT
    assert kinds(half)["w/half"] == HALF
    frames = np.ones((1, 4), np.float32)
    assert (Inside(half, ["gives"])({"frames": frames})["gives"] == -4).all()


@pytest.mark.parametrize("float_layers", [(), ("net/node_deep", "net/node_head0")])
def test_tensorrt_builds_it(deep: ModelProto, float_layers: tuple[str, ...]) -> None:
    assert len(build_plan(fp16_model(deep, float_layers).SerializeToString()).content) > 1000


def test_tensorrt_builds_road_nano_in_fp16(road_nano: ModelProto) -> None:
    assert len(build_plan(fp16_model(road_nano).SerializeToString()).content) > 1_000_000


def test_what_int8_leaves_in_float_may_be_float16(deep: ModelProto) -> None:
    int8 = plain_int8(deep, deep_frames(1))
    mixed = fp16_model(int8)
    types = kinds(mixed)
    assert types["net/node_deep/int8"] == TensorProto.INT8
    assert types["net/deep"] == types["net/deep.bias"] == types["net/deep.silu"] == HALF
    assert len(build_plan(mixed.SerializeToString()).content) > 1000
    before, after = (run_with_onnxruntime(model, deep_frames(1)) for model in (int8, mixed))
    assert np.abs(before.scores - after.scores).max() < 0.02


def test_weights_beyond_float16_are_refused_by_name(deep: ModelProto) -> None:
    broken = with_weight(with_weight(deep, "net/wide.weight", 7e4), "net/head1.bias", -1e6)
    with pytest.raises(ExportError) as refused:
        fp16_model(broken)
    assert "net/wide.weight (up to 7e+04" in str(refused.value)
    assert "net/head1.bias (up to 1e+06" in str(refused.value)
    fp16_model(broken, ["net/node_wide", "net/node_head1"])


def test_weights_that_vanish_in_float16_are_refused_by_name() -> None:
    nodes = [
        helper.make_node("Add", ["frames", "epsilon"], ["net/0"], "net/Add"),
        helper.make_node("Neg", ["net/0"], ["gives"], "decode/Neg"),
    ]
    with pytest.raises(ExportError, match=r"epsilon \(at most 1e-09, all of which becomes 0\)"):
        fp16_model(small(nodes, {"epsilon": 1e-9}))


def test_a_layer_that_is_not_there_is_refused(deep: ModelProto) -> None:
    with pytest.raises(ExportError, match="no layer net/node_nowhere"):
        fp16_model(deep, ["net/node_nowhere"])


@pytest.mark.parametrize("op", ["Exp", "Reciprocal"])
def test_what_overflows_easily_stays_in_float(op: str) -> None:
    half = fp16_model(chain("Relu", op, "Sigmoid"))
    types = kinds(half)
    assert [types[f"net/{index}"] for index in range(3)] == [HALF, FLOAT, HALF]


def test_the_scales_of_a_resize_stay_in_float() -> None:
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Resize", ["frames", "", "scales"], ["net/up"], "net/up", mode="nearest"),
        helper.make_node("Neg", ["net/up"], ["gives"], "decode/Neg"),
    ]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    inputs, outputs = [value("frames", FLOAT, [1, 2, 4, 4])], [value("gives", FLOAT, [1, 2, 8, 8])]
    graph = helper.make_graph(nodes, "up", inputs, outputs, [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    types = kinds(fp16_model(model))
    assert (types["scales"], types["net/up"]) == (FLOAT, HALF)


def test_a_cpu_does_not_round_what_flows_and_the_rounded_graph_does() -> None:
    nodes = [
        helper.make_node("Add", ["frames", "tiny"], ["net/0"], "net/Add"),
        helper.make_node("Sub", ["net/0", "one"], ["net/1"], "net/Sub"),
        helper.make_node("Neg", ["net/1"], ["gives"], "decode/Neg"),
    ]
    half = fp16_model(small(nodes, {"tiny": float(TINY), "one": 1.0}))
    frames = {"frames": np.ones((1, 4), np.float32)}
    # If this fails, ONNX Runtime has learnt float16 and `rounded_model` is no longer needed.
    assert (Inside(half, ["gives"])(frames)["gives"] == -TINY).all()
    assert (Inside(rounded_model(half), ["gives"])(frames)["gives"] == 0).all()


def test_optimised_or_not_the_rounded_graph_rounds(deep: ModelProto) -> None:
    rounded = rounded_model(fp16_model(deep))
    exact = Inside(rounded, ["boxes", "scores"])({"frames": deep_frames(1)})
    optimised = run_with_onnxruntime(rounded, deep_frames(1))
    whole = run_with_onnxruntime(deep, deep_frames(1))
    assert np.abs(optimised.scores - exact["scores"]).max() < 3e-4
    assert np.abs(optimised.scores - whole.scores).max() > 5e-5


def test_openvino_takes_it(deep: ModelProto) -> None:
    half, frames = fp16_model(deep), deep_frames(1)
    ours, theirs = run_with_onnxruntime(half, frames), run_with_openvino(half, frames)
    assert np.abs(ours.scores - theirs.scores).max() < 2e-3


def test_headroom_names_what_comes_near_the_end_of_float16(deep: ModelProto) -> None:
    frames = deep_frames(1)
    assert half_headroom(deep, frames) == ()
    hot = with_weight(deep, "net/head1.bias", 3e4)
    hotter = with_weight(hot, "net/head0.bias", 6.5e4)
    hotter = with_weight(hotter, "net/head2.bias", 7e4)
    found = half_headroom(hotter, frames)
    assert next(each.tensor for each in found if each.overflows) == "net/head2"
    named = {each.node: each for each in found}
    assert not named["net/node_head0"].overflows
    assert named["net/node_head2"].overflows
    assert "net/head1 (net/node_head1) reaches 3e+04, 46% of" in str(named["net/node_head1"])
    assert [each.largest for each in found] == sorted(
        (each.largest for each in found), reverse=True
    )
    kept = half_headroom(hotter, frames, ["net/node_head2"])
    assert "net/node_head2" not in {each.node for each in kept}


def test_a_tensor_that_fp16_would_make_infinite_is_refused_by_name(deep: ModelProto) -> None:
    frames = deep_frames(1)
    refuse_overflow(with_weight(deep, "net/head1.bias", 3e4), frames)
    with pytest.raises(ExportError, match=r"fp16 refused: net/head2 .* beyond float16's 65504"):
        refuse_overflow(with_weight(deep, "net/head2.bias", 7e4), frames)
