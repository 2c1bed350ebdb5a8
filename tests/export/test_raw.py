"""Files that are, or are not, detectors that take images."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from stopline.export.families import Recognised
from stopline.export.raw import ExportError, RawRunner, raw_of, read_raw

FLOAT = TensorProto.FLOAT


def identity(kind: int, shape: list[int | str], inputs: int = 1) -> onnx.ModelProto:
    """A graph that gives back its first input."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x0"], ["y"])],
        "identity",
        [value(f"x{index}", kind, shape) for index in range(inputs)],
        [value("y", kind, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_a_file_is_read_and_run_once(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    onnx.save(identity(FLOAT, [1, 3, 8, 16]), file)
    raw = read_raw(file)
    assert (raw.input, raw.input_hw) == ("x0", (8, 16))
    assert raw.outputs["y"].shape == (1, 3, 8, 16)


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am a text file\n" * 9, b"\x08\x07\x12\x07pytorch" + bytes(100)]
)
def test_what_is_no_onnx_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(ExportError, match=r"broken\.onnx is not an ONNX file") as refused:
        read_raw(file)
    assert "\n" not in str(refused.value)


def test_a_truncated_file_is_refused(tiny: Recognised, tmp_path: Path) -> None:
    file = tmp_path / "short.onnx"
    file.write_bytes(tiny.raw.model.SerializeToString()[:-200])
    with pytest.raises(ExportError, match=r"short\.onnx"):
        read_raw(file)


def test_weights_that_lie_in_another_file_must_be_there(tmp_path: Path) -> None:
    model = identity(FLOAT, [1, 3, 8, 8])
    model.graph.node[0].op_type = "Add"
    model.graph.node[0].input.append("w")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(999, np.float32), "w"))
    onnx.save(
        model, tmp_path / "big.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()
    with pytest.raises((ExportError, OSError), match="w"):
        read_raw(tmp_path / "big.onnx")


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (identity(FLOAT, [1, 3, 8, 8], inputs=2), r"x0 float32 \(1, 3, 8, 8\), x1 float32"),
        (identity(FLOAT, [1, 8, 8, 3]), r"x0 float32 \(1, 8, 8, 3\)"),
        (identity(TensorProto.FLOAT16, [1, 3, 8, 8]), r"x0 float16 \(1, 3, 8, 8\)"),
        (identity(FLOAT, [1, 3]), r"x0 float32 \(1, 3\)"),
    ],
)
def test_an_input_that_is_no_image_is_refused_with_what_it_is(
    model: onnx.ModelProto, found: str
) -> None:
    with pytest.raises(ExportError, match=f"takes {found}.*wanted one float32"):
        raw_of(model, "odd.onnx")


def test_a_file_that_leaves_its_size_open_needs_one() -> None:
    model = identity(FLOAT, ["n", 3, "h", "w"])
    with pytest.raises(ExportError, match="say which with --input HxW"):
        raw_of(model, "open.onnx")
    assert raw_of(model, "open.onnx", (32, 64)).output.shape == (1, 3, 32, 64)


def test_images_of_another_size_are_refused_by_name(tiny: Recognised) -> None:
    runner = RawRunner("tiny", tiny.raw.model)
    with pytest.raises(ExportError, match=r"tiny cannot take images \(1, 3, 8, 8\)"):
        runner(np.zeros((1, 3, 8, 8), np.float32))
