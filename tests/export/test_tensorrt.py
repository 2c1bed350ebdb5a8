"""A real TensorRT parses and builds what is exported, and refuses what it should.

TensorRT for RTX needs no GPU to build, so none is skipped for want of one.
"""

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper

from stopline.devices.engines.layer_report import nodes_computed_in, types_used
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.plan import build_plan as build_plan_with_layers
from stopline.export.contract import ContractSettings, in_contract
from stopline.export.families import Recognised
from stopline.export.int8_in_engine import int8_in_engine
from stopline.export.quantize.layers import layers
from stopline.export.tensorrt_check import TensorRTError, build_plan
from stopline.runtime.bundle import BUILT_IN, open_bundle
from stopline.runtime.manifest import Precision
from tests.export.quantized_tiny import quantized_tiny
from tests.export.tiny import TinyFastestDet, tiny_detector

RECTANGLE = (384, 640)


def with_uint8_transpose(model: ModelProto) -> ModelProto:
    """Transposed first and cast then, as a tidy mind would."""
    cast, transpose = model.graph.node[0], model.graph.node[1]
    assert (cast.op_type, transpose.op_type) == ("Cast", "Transpose")
    transpose.input[0], cast.input[0] = "frames", "turned"
    cast.output[0], transpose.output[0] = transpose.output[0], "turned"
    nodes = [transpose, cast, *list(model.graph.node)[2:]]
    return rebuilt(model, nodes)


def with_nms(model: ModelProto) -> ModelProto:
    """The boxes of the contract through an NMS in the graph."""
    numbers = {"most": np.array(10), "iou": np.float32(0.5), "low": np.float32(0.1)}
    for name, value in numbers.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array([value]).ravel(), name))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "axis"))
    nodes = [
        *model.graph.node,
        helper.make_node("Unsqueeze", ["scores", "axis"], ["per_class"]),
        helper.make_node("NonMaxSuppression", ["boxes", "per_class", *numbers], ["kept"]),
    ]
    model.graph.output.append(helper.make_tensor_value_info("kept", 7, ["kept", 3]))
    return rebuilt(model, nodes)


def rebuilt(model: ModelProto, nodes: list[object]) -> ModelProto:
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]  # type: ignore[attr-defined]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    return model


@pytest.mark.parametrize("batch", [1, 4])
def test_a_torch_model_builds(tiny: Recognised, batch: int) -> None:
    model = in_contract(*tiny, ContractSettings(batch=batch))
    assert len(build_plan(model.SerializeToString(), batch).content) > 1000


def test_a_torch_model_of_the_other_family_builds() -> None:
    model = in_contract(*tiny_detector(TinyFastestDet()), ContractSettings(batch=2))
    assert len(build_plan(model.SerializeToString(), 2).content) > 1000


@pytest.mark.data
@pytest.mark.parametrize("which", ["yolox", "fastestdet"])
@pytest.mark.parametrize("settings", [ContractSettings(), ContractSettings(RECTANGLE, batch=4)])
def test_the_files_of_others_build(
    which: str, settings: ContractSettings, request: pytest.FixtureRequest
) -> None:
    detector: Recognised = request.getfixturevalue(which)
    model = in_contract(*detector, settings)
    assert len(build_plan(model.SerializeToString(), settings.batch).content) > 1_000_000


def test_a_uint8_transpose_is_caught(tiny: Recognised) -> None:
    broken = with_uint8_transpose(in_contract(*tiny))
    with pytest.raises(TensorRTError, match=r"cannot parse it: Transpose .* has type UInt8"):
        build_plan(broken.SerializeToString())


def test_an_nms_in_the_graph_is_caught(tiny: Recognised) -> None:
    broken = with_nms(in_contract(*tiny))
    with pytest.raises(TensorRTError, match=r"cannot build it: .*no runners that implement it"):
        build_plan(broken.SerializeToString())


def test_what_is_no_onnx_is_refused() -> None:
    with pytest.raises(TensorRTError, match="cannot parse it"):
        build_plan(b"not a graph")


def variants_built_in() -> list[tuple[str, Precision]]:
    """Of every bundle that comes with the package, as it is now."""
    bundles = [open_bundle(path) for path in sorted(BUILT_IN.iterdir()) if path.is_dir()]
    return [(bundle.path.name, name) for bundle in bundles for name in bundle.manifest.variants]


@pytest.mark.parametrize(("name", "precision"), variants_built_in())
def test_every_variant_of_the_built_in_bundles_builds(name: str, precision: Precision) -> None:
    bundle = open_bundle(BUILT_IN / name)
    model = bundle.variant_path(precision).read_bytes()
    plan = build_plan(model, bundle.manifest.input.batch)
    assert len(plan.content) > 1_000_000
    nodes = {node for layer in plan.layers for node in layer.nodes}
    assert any(node.startswith("net/") for node in nodes)
    # What the graph says is what the engine does.
    wanted = {"fp32": "Float", "fp16": "Half", "int8": "Int8"}[precision]
    assert types_used(plan.layers).get(wanted, 0) > 20
    if precision == "int8":
        graph = ModelProto.FromString(model)
        in_int8 = nodes_computed_in("Int8", plan.layers)
        quantized = {layer.name for layer in layers(graph)} & quantized_in(graph)
        assert quantized
        assert quantized <= in_int8


def quantized_in(model: ModelProto) -> set[str]:
    """The nodes whose first two inputs are dequantized."""
    dequantized = {
        name for one in model.graph.node if one.op_type == "DequantizeLinear" for name in one.output
    }
    return {one.name for one in model.graph.node if dequantized >= set(one.input[:2])}


def in_engine(model: ModelProto) -> float:
    return int8_in_engine(model, build_plan(model.SerializeToString(), 4))


def test_int8_in_the_graph_is_int8_in_the_engine() -> None:
    assert in_engine(quantized_tiny()) == 1


def test_a_scale_that_is_not_a_scalar_is_found_out() -> None:
    """TensorRT builds it without a word, and computes in float."""
    model = quantized_tiny()
    for weight in model.graph.initializer:
        if weight.name in ("net/two/scale", "net/two/zero"):
            weight.dims.append(1)
    assert in_engine(model) < 1


def test_operators_that_are_not_supported_are_named_with_their_nodes(tiny: Recognised) -> None:
    """Both, not only the first."""
    model = in_contract(*tiny)
    model.opset_import.append(helper.make_opsetid("made.up", 1))
    for index in (1, 2):
        node = helper.make_node("Wobble", ["scores"], [f"w{index}"], f"net/wobble{index}")
        node.domain = "made.up"
        model.graph.node.append(node)
        model.graph.output.append(helper.make_tensor_value_info(f"w{index}", 1, None))
    with pytest.raises(TensorRTError, match=r"Wobble net/wobble1: .*; Wobble net/wobble2: "):
        build_plan(model.SerializeToString())


def test_a_batch_that_the_graph_excludes_is_refused(tiny: Recognised) -> None:
    model = in_contract(*tiny, ContractSettings(batch=1))
    with pytest.raises(TensorRTError, match="takes 1 frames at once and the manifest promises 4"):
        build_plan(model.SerializeToString(), 4)


def test_an_open_height_is_refused(tiny: Recognised) -> None:
    model = in_contract(*tiny, ContractSettings(batch=2))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "h"
    with pytest.raises(TensorRTError, match=r"only the batch may be open|cannot parse it"):
        build_plan(model.SerializeToString(), 2)


def test_an_accelerator_that_is_not_there_is_told(tiny: Recognised) -> None:
    model = in_contract(*tiny).SerializeToString()
    with pytest.raises(EngineError, match=r"no DLA core 0: tensorrt\S* \S+ counts 0 here"):
        build_plan_with_layers(model, BuildSettings(dla=0))
