"""The graph contract around a raw detector."""

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, compose

from stopline.export.contract import ContractSettings, in_contract
from stopline.export.families import Recognised
from stopline.export.raw import ExportError, raw_of
from stopline.runtime.arrays import Image
from tests.export.running import run_with_onnxruntime, run_with_openvino
from tests.export.tiny import (
    BLUE,
    RED,
    TinyFastestDet,
    TinyUltralytics,
    painted,
    tiny_detector,
)

UINT8, FLOAT, INT32 = TensorProto.UINT8, TensorProto.FLOAT, TensorProto.INT32


def described(values: list[onnx.ValueInfoProto]) -> dict[str, tuple[int, list[int | str]]]:
    return {
        value.name: (
            value.type.tensor_type.elem_type,
            [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in values
    }


def test_the_tensors_are_those_of_the_contract(tiny: Recognised) -> None:
    graph = in_contract(*tiny, ContractSettings(boxes=40)).graph
    assert described(list(graph.input)) == {"frames": (UINT8, [1, 64, 96, 3])}
    assert described(list(graph.output)) == {
        "boxes": (FLOAT, [1, 40, 4]),
        "scores": (FLOAT, [1, 40]),
        "classes": (INT32, [1, 40]),
    }


def test_a_dynamic_batch_is_open_everywhere(tiny: Recognised) -> None:
    graph = in_contract(*tiny, ContractSettings(batch=4)).graph
    every = described([*graph.input, *graph.output])
    assert {shape[0] for _, shape in every.values()} == {"n"}


def test_frames_are_cast_before_they_are_transposed(tiny: Recognised) -> None:
    nodes = in_contract(*tiny).graph.node
    assert [node.op_type for node in nodes if "frames" in node.input] == ["Cast"]


def test_there_is_no_nms_in_the_graph_and_every_old_reader_can_load_it(tiny: Recognised) -> None:
    model = in_contract(*tiny)
    assert "NonMaxSuppression" not in {node.op_type for node in model.graph.node}
    (opset,) = model.opset_import
    assert 17 <= opset.version <= 21
    assert model.ir_version <= 10  # ONNX Runtime 1.18's last


def test_batch_norm_is_folded_into_the_convolution(tiny: Recognised) -> None:
    ops = [node.op_type for node in in_contract(*tiny).graph.node]
    assert "Conv" in ops
    assert "BatchNormalization" not in ops


def test_nothing_in_the_file_tells_where_it_was_exported(tiny: Recognised) -> None:
    model = in_contract(*tiny)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert b"tests/export" not in model.SerializeToString()


def test_the_same_source_gives_the_same_bytes(tiny: Recognised) -> None:
    once, again = (in_contract(*tiny).SerializeToString() for _ in range(2))
    assert once == again


def test_a_red_square_is_found_where_it_is(tiny: Recognised) -> None:
    found = run_with_onnxruntime(in_contract(*tiny), painted((32, 16, 48, 32))[None])
    small = [[32, 16, 40, 24], [32, 24, 40, 32], [40, 16, 48, 24], [40, 24, 48, 32]]
    assert sorted(found.boxes[0, :5].tolist()) == sorted([*small, [32, 16, 48, 32]])
    assert found.scores[0, :6].round(1).tolist() == pytest.approx([1, 1, 1, 1, 1, 0.3])
    assert found.classes[0, :5].tolist() == [0] * 5


def test_boxes_come_best_first_and_no_more_than_there_are_candidates(tiny: Recognised) -> None:
    scores = run_with_onnxruntime(in_contract(*tiny), painted((3, 5, 70, 44))[None]).scores
    assert scores.shape == (1, 8 * 12 + 4 * 6 + 2 * 3)  # fewer than 300
    assert (np.diff(scores) <= 0).all()


def test_an_empty_frame_gives_low_scores_and_finite_boxes(tiny: Recognised) -> None:
    found = run_with_onnxruntime(in_contract(*tiny), np.zeros((1, 64, 96, 3), np.uint8))
    assert found.scores.max() < 0.3
    assert np.isfinite(found.boxes).all()


def test_each_frame_of_a_batch_gets_what_it_gets_alone(tiny: Recognised) -> None:
    frames = np.stack([painted((8, 8, 24, 24)), painted((64, 0, 96, 32), BLUE), painted((0,) * 4)])
    alone, batched = in_contract(*tiny), in_contract(*tiny, ContractSettings(batch=4))
    together = run_with_onnxruntime(batched, frames)
    for index, frame in enumerate(frames):
        for one, many in zip(run_with_onnxruntime(alone, frame[None]), together, strict=True):
            np.testing.assert_array_equal(one[0], many[index])
    assert together.classes[:2, 0].tolist() == [0, 1]


def test_the_other_family_finds_its_square_too() -> None:
    detector = tiny_detector(TinyFastestDet())
    found = run_with_onnxruntime(in_contract(*detector), painted((32, 16, 48, 32), BLUE)[None])
    assert detector.family.name == "fastestdet"
    # Half of the input around the corner of the cell that is blue.
    assert found.boxes[0, 0].tolist() == [32 - 24, 16 - 16, 32 + 24, 16 + 16]
    assert found.classes[0, 0] == 1


@pytest.mark.parametrize(("colour", "index"), [(RED, 0), (BLUE, 1)])
def test_a_family_that_takes_rgb_is_given_rgb(colour: tuple[int, int, int], index: int) -> None:
    detector = tiny_detector(TinyUltralytics())
    found = run_with_onnxruntime(in_contract(*detector), painted((32, 16, 40, 24), colour)[None])
    assert detector.family.name == "ultralytics"
    assert found.boxes[0, 0].tolist() == [32, 16, 40, 24]
    assert found.classes[0, 0] == index


def test_names_of_the_source_may_be_those_of_the_contract(tiny: Recognised) -> None:
    renamed = {"images": "frames", "output": "scores"}
    prefixed = compose.add_prefix(tiny.raw.model, "x/")
    text = onnx.printer.to_text(prefixed)
    for old, new in renamed.items():
        text = text.replace(f'"x/{old}"', f'"{new}"')
    assert '"scores"' in text
    raw = raw_of(onnx.parser.parse_model(text), "confusing")
    frames = painted((8, 8, 24, 24))[None]
    found = run_with_onnxruntime(in_contract(raw, tiny.family), frames)
    wanted = run_with_onnxruntime(in_contract(*tiny), frames)
    np.testing.assert_array_equal(found.boxes, wanted.boxes)


def test_sides_that_the_strides_do_not_divide_are_refused_with_the_nearest(
    tiny: Recognised,
) -> None:
    with pytest.raises(ExportError, match=r"input 100x90: .* multiples of 32.* --input 96x96"):
        in_contract(*tiny, ContractSettings(input_hw=(100, 90)))


@pytest.mark.data
@pytest.mark.parametrize("which", ["yolox", "fastestdet"])
@pytest.mark.parametrize("batch", [1, 3])
def test_onnxruntime_and_openvino_give_equal_answers(
    which: str, batch: int, request: pytest.FixtureRequest, photos: list[Image]
) -> None:
    detector: Recognised = request.getfixturevalue(which)
    h, w = detector.raw.input_hw
    resized = [cv2.resize(photo, (w, h)) for photo in photos[:batch]]
    frames = np.stack(resized).astype(np.uint8)
    model = in_contract(*detector, ContractSettings(batch=batch))
    one, other = run_with_onnxruntime(model, frames), run_with_openvino(model, frames)
    likely = one.scores > 0.1
    assert likely.sum() > 5 * batch
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
    np.testing.assert_array_equal(one.classes[likely], other.classes[likely])
    np.testing.assert_allclose(one.boxes[likely], other.boxes[likely], atol=0.05)
