"""Bundles as export writes them."""

import io
import time
from pathlib import Path

import numpy as np
import pytest

from stopline.export.bundle import (
    FP32,
    About,
    ExportSettings,
    export_bundle,
    quick_bundle,
    refuse_unshippable,
)
from stopline.export.contract import ContractSettings
from stopline.export.families import Recognised
from stopline.export.parity import ParityError
from stopline.export.raw import ExportError, Floats
from stopline.runtime.bundle import open_bundle
from stopline.runtime.detector import Detector, DetectorSettings
from tests.export.tiny import BLUE, CLASSES, painted, tiny_about

SCENES = [painted((50, 20, 90, 60), BLUE), painted((8, 8, 40, 40))]


def test_a_bundle_has_graph_selftest_and_card_and_opens(tiny: Recognised, tmp_path: Path) -> None:
    exported = export_bundle(tmp_path / "tiny", tiny, tiny_about(), SCENES)
    bundle = open_bundle(tmp_path / "tiny")
    assert bundle.manifest == exported.bundle.manifest
    assert sorted(bundle.manifest.files) == ["README.md", FP32, "selftest.npz"]
    assert bundle.manifest.classes == CLASSES
    assert (bundle.manifest.input.height, bundle.manifest.input.width) == (64, 96)
    assert bundle.manifest.boxes == 126
    assert bundle.manifest.provenance.shippable


def test_the_selftest_holds_what_the_detector_finds_in_its_image(
    tiny: Recognised, tmp_path: Path
) -> None:
    bundle = export_bundle(tmp_path / "tiny", tiny, tiny_about(), SCENES).bundle
    test = np.load(io.BytesIO((bundle.path / "selftest.npz").read_bytes()))
    settings = DetectorSettings("onnxruntime", min_score=float(test["min_score"]))
    found = Detector(bundle, settings=settings)(test["image"])
    assert len(found) > 0
    np.testing.assert_array_equal(found.boxes, test["boxes"])
    np.testing.assert_array_equal(found.scores, test["scores"])
    np.testing.assert_array_equal(found.classes, test["classes"])


def test_the_detector_finds_what_was_painted(tiny: Recognised, tmp_path: Path) -> None:
    bundle = export_bundle(
        tmp_path / "tiny.zip",
        tiny,
        tiny_about(),
        SCENES,
        ExportSettings(ContractSettings(input_hw=(96, 96), batch=2)),
    ).bundle
    red, blue = Detector(bundle).each([painted((32, 0, 64, 32)), painted((32, 0, 64, 32), BLUE)])
    assert {one.name for one in red} == {"red"}
    assert {one.name for one in blue} == {"blue"}
    assert [32, 0, 64, 32] in red.boxes.round().tolist()


def test_a_bundle_that_differs_from_its_source_does_not_appear(
    tiny: Recognised, tmp_path: Path
) -> None:
    def other(images: Floats) -> Floats:
        return np.full((1, 126, 7), 0.5, np.float32)

    with pytest.raises(ParityError):
        export_bundle(tmp_path / "tiny", tiny, tiny_about(), SCENES, ExportSettings(source=other))
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_number_of_classes_is_refused(tiny: Recognised, tmp_path: Path) -> None:
    about = About("tiny", ("red", "green", "blue"), tiny_about().provenance)
    with pytest.raises(ExportError, match=r"tiny has 2 classes, 3 were named: .*--classes"):
        quick_bundle(tmp_path / "tiny", tiny, about)


def test_a_non_commercial_source_is_named_when_it_must_be_shippable() -> None:
    refuse_unshippable(tiny_about())
    with pytest.raises(ExportError, match=r"may not be shipped.*a pot of paint \(CC0 1\.0\)"):
        refuse_unshippable(tiny_about(commercial=False))


@pytest.mark.data
def test_the_quick_way_is_quick_for_a_nano(yolox: Recognised, tmp_path: Path) -> None:
    names = tuple(map(str, range(80)))
    about = About("nano", names, tiny_about().provenance)
    started = time.process_time()
    quick_bundle(tmp_path / "nano", yolox, about)
    assert time.process_time() - started < 3  # CPU seconds: the machine may be busy
