"""A real TensorRT parses and builds what is exported, and refuses what it should.

TensorRT for RTX needs no GPU to build, so none is skipped for want of one.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, helper, numpy_helper

from stopline.export.contract import ContractSettings, in_contract
from stopline.export.families import Recognised
from stopline.export.tensorrt_check import TensorRTError, build_plan
from tests.conftest import ROOT
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
    assert len(build_plan(model.SerializeToString(), batch)) > 1000


def test_a_torch_model_of_the_other_family_builds() -> None:
    model = in_contract(*tiny_detector(TinyFastestDet()), ContractSettings(batch=2))
    assert len(build_plan(model.SerializeToString(), 2)) > 1000


@pytest.mark.data
@pytest.mark.parametrize("which", ["yolox", "fastestdet"])
@pytest.mark.parametrize("settings", [ContractSettings(), ContractSettings(RECTANGLE, batch=4)])
def test_the_files_of_others_build(
    which: str, settings: ContractSettings, request: pytest.FixtureRequest
) -> None:
    detector: Recognised = request.getfixturevalue(which)
    model = in_contract(*detector, settings)
    assert len(build_plan(model.SerializeToString(), settings.batch)) > 1_000_000


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


def test_every_name_that_is_used_is_in_every_tensorrt() -> None:
    lists = sorted((ROOT.parent / "shared" / "tensorrt_api").glob("*.json"))
    if not lists:
        pytest.skip("the lists of TensorRT's names are not beside this checkout")
    used = {
        "Builder": {
            *("create_network", "create_builder_config", "create_optimization_profile"),
            "build_serialized_network",
        },
        "NetworkDefinitionCreationFlag": {"STRONGLY_TYPED"},
        "OnnxParser": {"parse", "num_errors", "get_error"},
        "ParserError": {"desc", "node", "node_name", "node_operator"},
        "INetworkDefinition": {"get_input"},
        "ITensor": {"name", "shape"},
        "IOptimizationProfile": {"set_shape"},
        "IBuilderConfig": {"add_optimization_profile"},
        "ILogger": {"ERROR", "INTERNAL_ERROR", "log"},
    }
    for path in lists:
        api = json.loads(Path(path).read_text())
        for kind, names in used.items():
            assert names <= set(api[kind]), f"{path.name}: {kind} lacks {names - set(api[kind])}"
