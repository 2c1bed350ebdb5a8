"""What a model card says."""

import pytest
from msgspec.structs import replace

from stopline.export.card import model_card, shippable_sentence, updated_card
from stopline.export.parity import Parity
from stopline.runtime.manifest import (
    Accuracy,
    Calibration,
    ClassAccuracy,
    ClassKept,
    Fidelity,
    Input,
    Manifest,
    Provenance,
    Source,
    Thresholds,
    Variant,
)

FREE = Source(name="paint", licence="CC0 1.0", commercial=True, images=877, url="https://paint")
BOUND = Source(name="CamVid", licence="CC BY-NC 4.0", commercial=False)
MANIFEST = Manifest(
    schema=1,
    name="tiny",
    task="detect",
    classes=("red", "blue"),
    input=Input(height=384, width=640, batch=4),
    boxes=300,
    thresholds=Thresholds(min_score=0.3, max_iou=0.65),
    variants={"fp32": Variant(file="fp32.onnx", precision="fp32")},
    files={},
    provenance=Provenance(
        created="2026-01-02", stopline="0.1", command="stopline train x", sources=(FREE, BOUND)
    ),
)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ((), "No: nothing is known"),
        ((FREE,), "Yes: every source"),
        ((FREE, BOUND), "No: commercial use is not allowed, or not known to be, by CamVid (CC BY"),
    ],
)
def test_the_reason_names_the_source_that_decides(sources: tuple[Source, ...], said: str) -> None:
    provenance = replace(MANIFEST.provenance, sources=sources)
    assert shippable_sentence(provenance).startswith(said)
    assert provenance.shippable == said.startswith("Yes")


def test_sources_input_and_thresholds_are_told() -> None:
    card = model_card(MANIFEST)
    assert "| paint | CC0 1.0 | yes | 877 | https://paint |" in card
    assert "| CamVid | CC BY-NC 4.0 | no | unknown |  |" in card
    assert "    stopline train x" in card
    assert "`frames` uint8 (1 to 4, 384, 640, 3), BGR" in card
    assert "Reported from a score of 0.3; NMS per class at IoU 0.65." in card
    assert "Not measured" in card


def test_figures_come_with_their_counts_and_an_unknown_one_is_not_zero() -> None:
    said = Accuracy(
        dataset="val.json",
        images=265,
        backend="onnxruntime",
        AP=0.5,
        AP50=0.75,
        AP75=0.4,
        classes={
            "red": ClassAccuracy(AP=0.5, AP50=0.75, recall=0.9, boxes=16),
            "blue": ClassAccuracy(AP=None, AP50=None, recall=None, boxes=0),
        },
    )
    variants = {"fp32": replace(MANIFEST.variants["fp32"], accuracy=said)}
    card = model_card(replace(MANIFEST, variants=variants))
    assert "On val.json, 265 images, through onnxruntime" in card
    assert "| red | 16 | 0.500 | 0.750 | 0.900 |" in card
    assert "| blue | 0 | unknown | unknown | unknown |" in card
    assert "| all | 16 | 0.500 | 0.750 |  |" in card


def test_parity_and_notes_end_the_card() -> None:
    parity = Parity(8, 100, 0.995, 0.0001, 0.001, 0.5)
    card = model_card(MANIFEST, parity, "## Known failures\n\nNight.\n")
    assert "99.50% of 100 boxes in 8 images match" in card
    assert card.endswith("## Known failures\n\nNight.\n")


def with_int8() -> Manifest:
    said = Fidelity(
        dataset="val.json",
        images=265,
        arithmetic="exact",
        AP_share=0.9914,
        AP_interval=(0.966, 1.013),
        classes={"red": ClassKept(share=0.98, interval=None, boxes=7)},
        boxes=2000,
        matched=0.9,
        mean_score_difference=0.01,
        scenes=24,
    )
    ranges = Calibration(dataset="train.json", images=128, sha256="0" * 64, strata={"red": 90})
    int8 = Variant(
        file="int8.onnx", precision="int8", fidelity=said, calibration=ranges, int8_macs=0.87
    )
    return replace(MANIFEST, variants={**MANIFEST.variants, "int8": int8})


def test_each_variant_is_told_with_its_share_its_arithmetic_and_its_calibration() -> None:
    card = model_card(with_int8())
    row = "| int8 | 99.1% | 0.966 to 1.013 | 90.00% of 2000 | 0.0100 | 87.0% | exact, 265 images"
    assert row in card
    assert "| red | 7 | 98.0% |  |" in card
    assert "128 images of train.json (red 90)" in card


def test_a_card_is_updated_where_it_tells_of_variants_and_nowhere_else() -> None:
    notes = "## Known failures\n\nNight.\n"
    before = model_card(MANIFEST, Parity(8, 100, 0.995, 0.0001, 0.001, 0.5), notes)
    after = updated_card(before, with_int8())
    assert after == model_card(with_int8(), Parity(8, 100, 0.995, 0.0001, 0.001, 0.5), notes)
    assert updated_card(after, MANIFEST) == before
