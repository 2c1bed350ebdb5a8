"""FP16 and INT8 of a small detector: made, compared with what came before, gated, described."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.devices.coco import CocoSet, LabelledImage
from stopline.devices.fidelity import Evidence
from stopline.devices.gate import GateLimits
from stopline.export.bundle import ExportSettings, extended_bundle, quick_bundle
from stopline.export.gate import GateError
from stopline.export.int8_variant import Int8Asked, int8_maker
from stopline.export.quantize.score import found_by_fp32
from stopline.export.raw import ExportError
from stopline.export.variants import Int8Made, OnStep, VariantsSettings, with_variants
from stopline.runtime.arrays import Image
from stopline.runtime.bundle import Bundle
from tests.export.deep import HW_DEEP, deep_detector
from tests.export.tiny import tiny_about

# Nine layers of random weights are no detector whose AP means much.
LENIENT = GateLimits(share=0.5, margin=0.5, least_images=6, matched=0.8, least_boxes=100)


def shapes(count: int, seed: int) -> list[Image]:
    """Rectangles of many colours on a slope of light; no two alike."""
    random = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        ends = random.integers(0, 256, (2, 1, 1, 3))
        slope = np.linspace(0, 1, HW_DEEP[1]).reshape(1, -1, 1)
        image = (ends[0] * (1 - slope) + ends[1] * slope).repeat(HW_DEEP[0], axis=0)
        for _ in range(4):
            y, x = random.integers(0, HW_DEEP[0] - 16), random.integers(0, HW_DEEP[1] - 16)
            h, w = random.integers(8, 40, 2)
            image[y : y + h, x : x + w] = random.integers(0, 256, 3)
        images.append(image.astype(np.uint8))
    return images


def written(images: Sequence[Image], folder: Path) -> Path:
    folder.mkdir()
    for at, image in enumerate(images):
        cv2.imwrite(str(folder / f"{at:02}.png"), image)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return quick_bundle(tmp_path_factory.mktemp("deep") / "deep", deep_detector(), tiny_about())


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(shapes(40, seed=1), tmp_path_factory.mktemp("training") / "images")


@pytest.fixture(scope="module")
def labelled(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> CocoSet:
    """Eight images, labelled with what FP32 finds in them."""
    folder = written(shapes(8, seed=2), tmp_path_factory.mktemp("labelled") / "images")
    nothing = np.zeros((0, 4), np.float32), (), np.zeros(0, np.bool_)
    height, width = HW_DEEP
    unlabelled = tuple(
        LabelledImage(path, width, height, frozenset(), frozenset(), {}, *nothing)
        for path in sorted(folder.iterdir())
    )
    return found_by_fp32(bundle, CocoSet("shapes", bundle.manifest.classes, unlabelled))


@pytest.fixture(scope="module")
def evidence(labelled: CocoSet) -> Evidence:
    return Evidence(shapes(8, seed=2), labelled.name, labelled)


def test_each_variant_is_described_by_what_was_measured(
    bundle: Bundle, training: Path, labelled: CocoSet, evidence: Evidence
) -> None:
    int8 = int8_maker(Int8Asked(training, labelled, wanted=0.5))
    told: list[str] = []
    settings = VariantsSettings(("fp16", "int8"), int8, LENIENT)
    made = with_variants(bundle, evidence, settings, lambda text, done: told.append(text))
    fp32, fp16, quantized = (one.variant for one in made)
    assert [fp32.precision, fp16.precision, quantized.precision] == ["fp32", "fp16", "int8"]
    assert made[0].graph == bundle.variant_path("fp32").read_bytes()
    assert fp32.fidelity is None
    assert all(one.accuracy is not None for one in (fp32, fp16, quantized))
    assert fp16.fidelity is not None
    assert fp16.fidelity.matched > 0.8
    assert fp16.step is None
    assert quantized.step is not None
    assert quantized.step.against == "fp16"
    assert quantized.fidelity is not None
    assert (quantized.fidelity.against, quantized.fidelity.arithmetic) == ("fp32", "exact")
    assert quantized.int8_macs is not None
    assert 0.3 < quantized.int8_macs < 1
    assert quantized.calibration is not None
    assert quantized.calibration.images >= 32
    assert {text.split(":")[0] for text in told} == {"fp32", "fp16", "int8"}


def test_a_variant_that_keeps_too_little_leaves_the_bundle_as_it_was(
    bundle: Bundle, labelled: CocoSet, training: Path, tmp_path: Path
) -> None:
    int8 = int8_maker(Int8Asked(training, labelled))
    settings = ExportSettings(labelled=labelled, variants=VariantsSettings(("int8",), int8))
    with pytest.raises(GateError, match=r"int8 refused, nothing was written: "):
        extended_bundle(tmp_path / "deep", bundle, shapes(8, seed=2), settings)
    assert list(tmp_path.iterdir()) == []


def test_int8_that_tensorrt_computes_in_float_is_refused(
    bundle: Bundle, training: Path, labelled: CocoSet, evidence: Evidence
) -> None:
    """Scales of shape (1,) in place of scalars build without a word."""
    pytest.importorskip("tensorrt_rtx")
    make = int8_maker(Int8Asked(training, labelled))

    def on_paper(fp32: Bundle, on_step: OnStep) -> Int8Made:
        made = make(fp32, on_step)
        graph = made.model.graph
        steps = {
            name
            for node in graph.node
            if node.op_type in ("QuantizeLinear", "DequantizeLinear")
            for name in node.input[1:]
        }
        for weight in graph.initializer:
            if weight.name in steps and not weight.dims:
                weight.dims.append(1)
        return made

    settings = VariantsSettings(("int8",), on_paper, LENIENT)
    with pytest.raises(GateError, match="builds it without one kernel in INT8"):
        with_variants(bundle, evidence, settings)


def test_a_share_of_int8_that_the_default_has_not_is_refused(
    bundle: Bundle, training: Path, labelled: CocoSet, evidence: Evidence
) -> None:
    int8 = int8_maker(Int8Asked(training, labelled, least_int8=1.0))
    settings = VariantsSettings(("int8",), int8, LENIENT)
    with pytest.raises(GateError, match=r"wanted 100%: --search"):
        with_variants(bundle, evidence, settings)


def test_a_search_takes_labels(
    bundle: Bundle, training: Path, labelled: CocoSet, evidence: Evidence
) -> None:
    int8 = int8_maker(Int8Asked(training, labelled, search=True))
    settings = VariantsSettings(("int8",), int8, LENIENT)
    with pytest.raises(ExportError, match=r"--calibrate COCO\.json"):
        with_variants(bundle, evidence, settings)


def test_calibration_on_the_images_of_the_gate_is_refused(
    bundle: Bundle, labelled: CocoSet, evidence: Evidence, tmp_path: Path
) -> None:
    folder = written([*shapes(32, seed=3), *shapes(8, seed=2)], tmp_path / "mixed")
    settings = VariantsSettings(("int8",), int8_maker(Int8Asked(folder, labelled)), LENIENT)
    with pytest.raises(ExportError, match="shapes"):
        with_variants(bundle, evidence, settings)
