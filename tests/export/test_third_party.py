"""Other people's files through the contract, against a reference that shares no code with it."""

from pathlib import Path

import pytest

from stopline.devices.coco import read_coco
from stopline.devices.evaluation import Evaluated, Evaluation, EvaluationSettings, evaluate
from stopline.export.bundle import About, export_bundle
from stopline.export.coco80 import COCO80
from stopline.export.families import Recognised
from stopline.runtime.arrays import Image
from stopline.runtime.detector import Detector, DetectorSettings
from tests.export.reference import FastestDetReference, Reference, YoloxReference, overlaps
from tests.export.tiny import tiny_about

pytestmark = pytest.mark.data
FAMILIES = ["yolox", "fastestdet"]


@pytest.fixture
def detector(
    family: str, photos: list[Image], tmp_path: Path, request: pytest.FixtureRequest
) -> Detector:
    detector: Recognised = request.getfixturevalue(family)
    about = About(family, COCO80, tiny_about().provenance)
    bundle = export_bundle(tmp_path / family, detector, about, photos).bundle
    return Detector(bundle, settings=DetectorSettings(min_score=0.01))


@pytest.fixture
def reference(family: str, request: pytest.FixtureRequest) -> Reference:
    kind, max_iou = {"yolox": (YoloxReference, 0.65), "fastestdet": (FastestDetReference, 0.45)}[
        family
    ]
    return kind(request.getfixturevalue(f"{family}_file"), COCO80, max_iou)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bundle_finds_in_photos_what_the_reference_finds(
    detector: Detector, reference: Reference, photos: list[Image]
) -> None:
    for photo in photos:
        found, wanted = detector(photo), reference(photo)
        likely = wanted.scores > 0.1
        assert likely.sum() > 2
        rows = zip(wanted.boxes[likely], wanted.scores[likely], wanted.classes[likely], strict=True)
        for box, score, class_index in rows:
            same = found.classes == class_index
            iou = overlaps(box, found.boxes[same])
            assert iou.max() > 0.99
            assert found.scores[same][iou.argmax()] == pytest.approx(score, abs=1e-3)


@pytest.mark.journey
@pytest.mark.parametrize("family", FAMILIES)
def test_eval_of_a_bundle_equals_that_of_the_reference(
    detector: Detector, reference: Reference, data_pack: Path
) -> None:
    labelled = read_coco(data_pack / "splits" / "public_val.json", data_pack / "images")

    def figures(of: Evaluated) -> Evaluation:
        return evaluate(of, labelled, EvaluationSettings(resamples=0))

    found, wanted = figures(detector), figures(reference)
    assert wanted.AP > 0.2
    for figure in ("AP", "AP50", "AP75"):
        assert getattr(found, figure) == pytest.approx(getattr(wanted, figure), abs=0.003)
    for name, one in wanted.classes.items():
        other = found.classes[name].AP
        assert other == pytest.approx(one.AP, abs=0.01), name
