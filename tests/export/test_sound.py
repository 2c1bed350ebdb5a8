"""Graphs that nothing can be made of are refused in one sentence that names the node."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from stopline.export.raw import ExportError
from stopline.export.sound import refuse_unsound
from stopline.runtime.bundle import open_bundle
from tests.export.deep import deep_model

FLOAT = TensorProto.FLOAT


def graph(
    nodes: list[NodeProto], weights: dict[str, Any] | None = None, shape: Any = (1, 4)
) -> ModelProto:
    """`frames` → `gives`, both float32 of this shape."""
    value = helper.make_tensor_value_info
    built = helper.make_graph(
        nodes,
        "small",
        [value("frames", FLOAT, shape)],
        [value("gives", FLOAT, None)],
        [numpy_helper.from_array(np.float32(of), name) for name, of in (weights or {}).items()],
    )
    return helper.make_model(built, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def node(op: str, reads: list[str], name: str = "", **attributes: Any) -> NodeProto:
    return helper.make_node(op, reads, ["gives"], name, **attributes)


def test_sound_graphs_pass() -> None:
    refuse_unsound(deep_model())
    refuse_unsound(onnx.load(open_bundle("road-nano").variant_path("fp32")))
    refuse_unsound(graph([node("Neg", ["frames"])], shape=("n", 4)))  # an open batch


def test_an_empty_graph() -> None:
    with pytest.raises(ExportError, match="the graph is empty"):
        refuse_unsound(ModelProto())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([1, np.nan, 3, np.nan], "2 NaN among the 4 weights of w, read by Mul net/scale"),
        ([1, np.inf, 3, 4], "1 infinite among the 4 weights of w, read by Mul net/scale"),
    ],
)
def test_weights_that_are_no_numbers(value: list[float], told: str) -> None:
    with pytest.raises(ExportError, match=told):
        refuse_unsound(graph([node("Mul", ["frames", "w"], "net/scale")], {"w": value}))


def test_a_constant_node_that_is_no_number() -> None:
    held = numpy_helper.from_array(np.array([np.nan], np.float32))
    constant = helper.make_node("Constant", [], ["w"], value=held)
    with pytest.raises(ExportError, match="1 NaN among the 1 weights of w, read by Add → gives"):
        refuse_unsound(graph([constant, node("Add", ["frames", "w"])]))


def test_a_mask_may_be_infinite_but_not_nan() -> None:
    masked = [node("Add", ["frames", "mask"], "net/mask")]
    refuse_unsound(graph(masked, {"mask": [0, -np.inf, 0, 0]}))
    with pytest.raises(ExportError, match="NaN among the 4 weights of mask"):
        refuse_unsound(graph(masked, {"mask": [0, -np.inf, np.nan, 0]}))


def test_operators_that_nobody_knows() -> None:
    nodes = [
        helper.make_node("FancyAttention", ["frames"], ["a"], "net/fancy"),
        helper.make_node("FusedConv", ["a"], ["b"], "net/fused", domain="com.microsoft"),
        node("Neg", ["b"]),
    ]
    with pytest.raises(ExportError) as refused:
        refuse_unsound(graph(nodes))
    assert str(refused.value) == (
        "ONNX (opset 18) has no operator FancyAttention (net/fancy); "
        "com.microsoft.FusedConv (net/fused): export the model without it"
    )


def test_an_operator_inside_a_branch() -> None:
    branch = helper.make_graph(
        [helper.make_node("Nothing", ["frames"], ["in"], "net/inner")],
        "branch",
        [],
        [helper.make_tensor_value_info("in", FLOAT, None)],
    )
    asked = node("If", ["on"], "net/if", then_branch=branch, else_branch=branch)
    with pytest.raises(ExportError, match=r"no operator Nothing \(net/inner, net/inner\)"):
        refuse_unsound(graph([asked], {"on": [1]}))


def test_an_operator_that_is_newer_than_the_opset() -> None:
    with pytest.raises(ExportError, match=r"ONNX \(opset 18\) has no operator Gelu \(net/act\)"):
        refuse_unsound(graph([node("Gelu", ["frames"], "net/act")]))


def test_a_function_of_the_model_is_known() -> None:
    twice = helper.make_function(
        "own", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])],
        [helper.make_opsetid("", 18)],
    )  # fmt: skip
    model = graph([helper.make_node("Twice", ["frames"], ["gives"], "net/twice", domain="own")])
    model.functions.append(twice)
    model.opset_import.append(helper.make_opsetid("own", 1))
    refuse_unsound(model)


def test_an_input_of_open_size() -> None:
    with pytest.raises(ExportError, match=r"frames is float32 \(n, 3, height, 64\): wanted every"):
        refuse_unsound(graph([node("Neg", ["frames"])], shape=("n", 3, "height", 64)))


def test_an_output_whose_size_depends_on_the_image() -> None:
    found = helper.make_node("NonZero", ["frames"], ["where"], "net/found")
    with pytest.raises(ExportError, match="NonZero net/found gives where of a size that depends"):
        refuse_unsound(graph([found, node("Cast", ["where"], to=FLOAT)]))


def test_weights_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    model = graph([node("Mul", ["frames", "w"], "net/scale")], {"w": np.ones((64, 64))})
    where = tmp_path / "model.onnx"
    onnx.save(model, where, save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(ExportError, match=r"the weights w are in another file, w\.bin"):
        refuse_unsound(onnx.load(where, load_external_data=False))
