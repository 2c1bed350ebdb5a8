"""The score of a variant: 1 for FP32 itself, less for one that finds less, through the runtime."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import onnx
import pytest
from onnx import ModelProto, numpy_helper

from stopline.devices.coco import CocoSet, read_coco
from stopline.export.bundle import quick_bundle
from stopline.export.families import Recognised
from stopline.export.quantize.calibration import CalibrationSet, calibration_set
from stopline.export.quantize.score import STRICTER, ApShare, agreement, found_by_fp32
from stopline.export.quantize.selection import selection_set
from stopline.export.raw import ExportError
from stopline.runtime.bundle import Bundle
from tests.export.quantize.test_calibration import SHAPE, labelled
from tests.export.tiny import BLUE, CLASSES, HW_TINY, RED, painted, tiny_about

CELLS = ((8, 8, 16, 16), (32, 32, 40, 40), (48, 0, 56, 8), (0, 40, 8, 48))


@pytest.fixture
def bundle(tmp_path: Path, tiny: Recognised) -> Bundle:
    return quick_bundle(tmp_path / "tiny", tiny, tiny_about())


@pytest.fixture
def scenes(tmp_path: Path) -> CocoSet:
    """Red and blue squares of one small cell each, all of them labelled."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for at, box in enumerate(CELLS):
        file = f"{at}.png"
        pixels = painted(box, RED if at % 2 else BLUE)
        (folder / file).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        images.append({"id": at, "file_name": file, "width": HW_TINY[1], "height": HW_TINY[0]})
        x0, y0, x1, y1 = box
        label = {"image_id": at, "category_id": 1 - at % 2, "bbox": [x0, y0, x1 - x0, y1 - y0]}
        boxes.append({"id": at, "iscrowd": 0, **label})
    categories = [{"id": at, "name": name} for at, name in enumerate(CLASSES)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(content))
    return read_coco(folder / "labels.json", folder)


def fp32(bundle: Bundle) -> ModelProto:
    return onnx.load(bundle.variant_path("fp32"))


def blind_to_blue(bundle: Bundle) -> ModelProto:
    """The weights of class 1 are gone."""
    model = fp32(bundle)
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight).copy()
        if values.shape == (2, 3, 1, 1):
            values[1] = 0
            weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    return model


@pytest.mark.parametrize(("score_of", "half"), [(ApShare, 0.5), (agreement, 1 - 0.5 / STRICTER)])
def test_fp32_scores_one_and_what_finds_half_scores_less(
    bundle: Bundle, scenes: CocoSet, score_of: Callable[..., ApShare], half: float
) -> None:
    score = score_of(bundle, scenes, 1)
    assert score(fp32(bundle)) == 1
    assert score.noise(fp32(bundle)) == 0
    assert score(blind_to_blue(bundle)) == pytest.approx(half, abs=0.05)
    assert score.noise(blind_to_blue(bundle)) > 0.1


def test_agreement_needs_no_labels(bundle: Bundle, scenes: CocoSet) -> None:
    seen = found_by_fp32(bundle, scenes)
    assert [image.names for image in seen.images] == [("blue",), ("red",), ("blue",), ("red",)]
    assert all(image.labelled == set(CLASSES) for image in seen.images)


def test_what_is_scored_is_named_so_that_no_trial_of_another_score_counts(
    bundle: Bundle, scenes: CocoSet
) -> None:
    about = ApShare(bundle, scenes).about
    assert about == ApShare(bundle, scenes).about
    assert "4 images of labels.json" in about
    assert about != agreement(bundle, scenes).about
    scenes.images[0].path.write_bytes(scenes.images[2].path.read_bytes())
    assert about != ApShare(bundle, scenes).about


def test_images_in_which_fp32_finds_nothing_are_refused(bundle: Bundle, scenes: CocoSet) -> None:
    for image in scenes.images:
        image.path.write_bytes(cv2.imencode(".png", painted((0, 0, 0, 0)))[1].tobytes())
    with pytest.raises(ExportError, match="finds nothing right in the 4 images"):
        ApShare(bundle, scenes)
    with pytest.raises(ExportError, match="finds nothing in the 4 images"):
        agreement(bundle, scenes)


def test_the_selection_shares_no_image_with_the_calibration(tmp_path: Path) -> None:
    training = labelled(tmp_path, [("car",)] * 70)
    calibration = calibration_set(training, SHAPE, 40)
    selection = selection_set(training, calibration)
    assert len(calibration.files) == 40
    assert len(selection.images) == 30
    assert not {image.path for image in selection.images} & set(calibration.files)


def test_too_few_images_to_choose_on_are_refused(tmp_path: Path) -> None:
    training = labelled(tmp_path, [("car",)] * 40)
    calibration: CalibrationSet = calibration_set(training, SHAPE, 32)
    with pytest.raises(ExportError, match=r"8 of the 40 images .* wanted 16 or more"):
        selection_set(training, calibration)
