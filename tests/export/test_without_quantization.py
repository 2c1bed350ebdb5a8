"""INT8 without what TensorRT refuses: found by its own words, and built for real."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from onnx import ModelProto, checker

from stopline.devices.engines.ladder import Climbed, LadderSettings, Target, climb
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.work import Work
from stopline.export.without_quantization import dequantized, named_in, without_quantization
from stopline.runtime.backends.engine import engine_stem
from stopline.runtime.backends.engine_record import read_record
from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_module
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Variant
from tests.export.quantized_tiny import quantized_layers, quantized_tiny
from tests.export.running import run_with_onnxruntime
from tests.runtime.tiny import HERE, tiny_manifest

pytest.importorskip("tensorrt_rtx")


def int8_bundle(where: Path, model: ModelProto) -> Bundle:
    variants = {
        "fp32": Variant(file="fp32.onnx", precision="fp32"),
        "int8": Variant(file="int8.onnx", precision="int8"),
    }
    manifest = replace(tiny_manifest(), variants=variants)
    fp32 = (HERE / "tiny.onnx").read_bytes()
    return write_bundle(
        where, manifest, {"fp32.onnx": fp32, "int8.onnx": model.SerializeToString()}
    )


def climbed(bundle: Bundle, *, edit: bool) -> Climbed:
    target = Target(library_of(tensorrt_module()), None, None, "a test")
    build = BuildSettings(largest_batch=bundle.manifest.input.batch)
    settings = LadderSettings(build, "int8", without_quantization if edit else None)
    return climb(bundle, target, settings, Work())


def test_a_layer_that_is_named_computes_in_float_and_the_other_in_int8() -> None:
    model = quantized_tiny()
    edited = without_quantization(model.SerializeToString(), "Error in net/one/q: no")
    after = ModelProto.FromString(edited.model)
    checker.check_model(after, full_check=True)
    assert edited.floated == ("net/one",)
    assert quantized_layers(model) == ["net/one", "net/two"]
    assert quantized_layers(after) == ["net/two"]
    assert not {node.name for node in after.graph.node} & {"net/one/q", "net/one/dq"}


@pytest.mark.parametrize("said", ["net/one", "{Foreign[net/one/dq...net/relu]}", "net/one/w/dq"])
def test_any_of_its_nodes_names_the_layer(said: str) -> None:
    content = quantized_tiny().SerializeToString()
    assert without_quantization(content, said).floated == ("net/one",)


def test_a_part_of_a_name_names_nothing() -> None:
    assert named_in(quantized_tiny(), "net/on, net/one/quantize, one") == []


@pytest.mark.parametrize("said", ["", "out of memory", "decode/top has no implementation"])
def test_words_that_name_no_quantized_layer_are_an_error(said: str) -> None:
    with pytest.raises(EngineError, match="names no quantized layer"):
        without_quantization(quantized_tiny().SerializeToString(), said)


def test_all_layers_in_float_give_nearly_the_same_scores() -> None:
    model = quantized_tiny()
    edited = without_quantization(model.SerializeToString(), "net/one net/two")
    frames = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3), np.uint8)
    before = run_with_onnxruntime(model, frames)
    after = run_with_onnxruntime(ModelProto.FromString(edited.model), frames)
    np.testing.assert_allclose(before.scores, after.scores, atol=0.1)
    assert not quantized_layers(ModelProto.FromString(edited.model))


def test_weights_are_dequantized_per_channel_and_per_tensor() -> None:
    weight = np.array([[1, 2], [3, 4]], np.int8)
    scales = np.array([0.5, 2], np.float32)
    np.testing.assert_array_equal(dequantized(weight, scales, None, 0), [[0.5, 1], [6, 8]])
    np.testing.assert_array_equal(dequantized(weight, scales, None, 1), [[0.5, 4], [1.5, 8]])
    zero, scale = np.array(1, np.int8), np.array(2, np.float32)
    np.testing.assert_array_equal(dequantized(weight, scale, zero, 1), [[0, 2], [4, 6]])


def test_the_ladder_builds_int8_without_the_layer_that_tensorrt_refuses(tmp_path: Path) -> None:
    bundle = int8_bundle(tmp_path / "b", quantized_tiny("net/one"))
    whole, mixed = climbed(bundle, edit=True).attempts
    assert (whole.rung, whole.record) == ("int8", None)
    assert whole.why is not None and "QuantizeLinear net/one/q" in whole.why
    assert mixed.why is None
    library = library_of(tensorrt_module())
    record = read_record(
        bundle.path / "engines" / f"{engine_stem(None, None, library, 'int8')}.json"
    )
    assert (record.rung, record.floated) == ("int8-mixed", ("net/one",))
    assert [left.rung for left in record.above] == ["int8"]
    assert any("Int8" in layer.takes for layer in record.layers)


def test_int8_that_is_computed_in_float_is_left(tmp_path: Path) -> None:
    model = quantized_tiny()
    for weight in model.graph.initializer:
        if weight.name.endswith(("one/scale", "one/zero", "two/scale", "two/zero")):
            weight.dims.append(1)  # a scale of one element for an axis: TensorRT builds it
    whole, _ = climbed(int8_bundle(tmp_path / "b", model), edit=True).attempts
    assert whole.record is None
    assert whole.why == "TensorRT built it without a single INT8 kernel: fp16 does as well"


def test_an_engine_of_before_does_not_outlive_a_build_that_fails(tmp_path: Path) -> None:
    good = int8_bundle(tmp_path / "good", quantized_tiny())
    assert climbed(good, edit=False).attempts[0].record is not None
    bad = int8_bundle(tmp_path / "bad", quantized_tiny("net/one"))
    (good.path / "engines").rename(bad.path / "engines")
    climbed(bad, edit=False)
    assert not [one for one in (bad.path / "engines").iterdir() if one.name != ".lock"]


def test_without_onnx_the_rung_is_left_and_says_so(tmp_path: Path) -> None:
    bundle = int8_bundle(tmp_path / "b", quantized_tiny("net/two"))
    _, mixed = climbed(bundle, edit=False).attempts
    assert (mixed.rung, mixed.record) == ("int8-mixed", None)
    assert mixed.why == "editing a graph needs the onnx package"
    assert not list((bundle.path / "engines").glob("*.plan"))
