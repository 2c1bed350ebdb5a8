"""One image in, boxes in its own pixels out, the same on every backend."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from stopline.runtime.backends.backend import BackendError, open_backend
from stopline.runtime.bundle import Bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Input, Precision, Variant
from tests.runtime.tiny import HERE, TINY_HW, red_square, tiny_bundle, tiny_manifest

BACKENDS = ["onnxruntime", "openvino"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    pytest.importorskip(name)
    return name


def bundle_of(file: Path, shape: Input | None = None) -> Bundle:
    """Unchecked, as no bundle on a disk may be."""
    manifest = replace(
        tiny_manifest(),
        input=shape or Input(height=64, width=96),
        variants={"fp32": Variant(file=file.name, precision="fp32")},
    )
    return Bundle(file.parent, manifest)


def fp32(backend: str) -> Precision:
    return "fp32"


def test_an_empty_scene_gives_no_detections(tmp_path: Path, backend: str) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings(backend))
    found = detector(np.zeros((64, 96, 3), np.uint8))
    assert len(found) == 0
    assert list(found) == []
    assert found.boxes.shape == (0, 4)


def test_one_red_cell_is_one_box_in_frame_pixels(tmp_path: Path, backend: str) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings(backend))
    # The frame is twice the input, so an 8x8 cell is 16x16 frame pixels.
    [found] = detector(red_square((128, 192), (32, 16, 48, 32)))
    assert found.box == pytest.approx((32, 16, 48, 32))
    assert found.name == "red"
    assert found.score == pytest.approx(1)


def test_a_batch_gives_each_image_its_own_answer(tmp_path: Path, backend: str) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings(backend))
    boxes = [(0, 0, 8, 8), (8, 8, 16, 16), (88, 56, 96, 64)]
    images = [red_square(TINY_HW, box) for box in boxes]
    found = detector.detect(images).detections
    assert [f.boxes.round().astype(int).tolist() for f in found] == [[list(b)] for b in boxes]


def test_any_number_of_images_is_cut_into_batches(tmp_path: Path) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings("onnxruntime"))
    images = [red_square(TINY_HW, (8 * i, 0, 8 * i + 8, 8)) for i in range(9)]
    assert [round(float(f.boxes[0, 0])) for f in detector.each(images)] == [8 * i for i in range(9)]


def test_the_backends_agree(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    bundle = tiny_bundle(tmp_path / "t")
    image = np.random.default_rng(0).integers(0, 255, (128, 192, 3), np.uint8)
    low = [Detector(bundle, settings=DetectorSettings(name, min_score=0.01)) for name in BACKENDS]
    first, second = (detector(image) for detector in low)
    assert len(first) > 10
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-6)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["grey", "alpha", "16 bit", "empty"],
)
def test_an_image_of_another_kind_is_refused(tmp_path: Path, image: Any) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings("onnxruntime"))
    with pytest.raises(ValueError, match="wanted uint8"):
        detector(image)


def test_an_image_of_one_pixel_is_detected_in(tmp_path: Path) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings("onnxruntime"))
    assert len(detector(np.full((1, 1, 3), (0, 0, 255), np.uint8))) > 0


def test_scores_that_are_not_numbers_are_an_error_and_not_an_empty_road(tmp_path: Path) -> None:
    detector = Detector(tiny_bundle(tmp_path / "t"), settings=DetectorSettings("onnxruntime"))
    run = detector._backend.run

    def broken(count: int):  # type: ignore[no-untyped-def] # stands in for Backend.run
        outputs = run(count)
        return outputs._replace(scores=np.full_like(outputs.scores, np.nan))

    detector._backend.run = broken  # type: ignore[method-assign] # a GPU in FP16 does this
    with pytest.raises(BackendError, match="not finite"):
        detector(np.zeros((64, 96, 3), np.uint8))


def test_a_backend_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(BackendError, match="wanted one of tensorrt, cuda, openvino, onnxruntime"):
        open_backend(bundle_of(HERE / "tiny.onnx"), fp32, "tpu")


def test_a_graph_of_another_size_is_refused(backend: str) -> None:
    with pytest.raises(BackendError, match="wanted `frames` uint8"):
        open_backend(bundle_of(HERE / "tiny.onnx", Input(height=64, width=64)), fp32, backend)


def test_a_file_that_is_not_a_graph_is_refused(tmp_path: Path, backend: str) -> None:
    (tmp_path / "fp32.onnx").write_bytes(b"not a graph")
    with pytest.raises(BackendError, match="cannot load"):
        open_backend(bundle_of(tmp_path / "fp32.onnx"), fp32, backend)
