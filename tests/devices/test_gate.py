"""What passes, what is refused and what cannot be decided, from figures alone."""

import pytest
from msgspec.structs import replace

from stopline.devices.gate import GateLimits, judge
from stopline.runtime.manifest import ClassKept, Fidelity, Precision

GOOD = Fidelity(
    dataset="val.json",
    images=265,
    arithmetic="exact",
    AP_share=0.995,
    AP_interval=(0.97, 1.01),
    classes={"person": ClassKept(share=0.998, interval=(0.98, 1.01), boxes=822)},
    boxes=2000,
    matched=0.999,
    mean_score_difference=0.001,
    scenes=24,
)


def refusal(precision: Precision, said: Fidelity, limits: GateLimits | None = None) -> str:
    """The only reason."""
    verdict = judge(precision, said, limits)
    assert not verdict.passed
    (reason,) = verdict.refused
    return reason


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_99_percent_shown_on_265_images_passes(precision: Precision) -> None:
    verdict = judge(precision, GOOD)
    assert verdict.passed
    assert verdict.not_shown == ()


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_less_than_99_percent_is_refused_with_the_figures(precision: Precision) -> None:
    said = refusal(precision, replace(GOOD, AP_share=0.971, AP_interval=(0.95, 0.99)))
    assert "97.1% of fp32's AP (265 images, interval 0.950 to 0.990), wanted 99%" in said


def test_40_images_cannot_show_99_percent() -> None:
    said = refusal("int8", replace(GOOD, images=40, AP_interval=(0.94, 1.03)))
    assert "too few images to show 99%" in said
    assert "40 images, interval 0.940 to 1.030" in said
    assert "give about 60 more" in said


def test_40_images_on_which_it_is_the_same_do_not_show_it_either() -> None:
    assert "give about 60 more" in refusal("int8", replace(GOOD, images=40, AP_interval=(1, 1)))


def test_a_wide_interval_says_how_many_more_would_do() -> None:
    """It reaches .07 below, and may reach .035: four times as many images."""
    said = refusal("int8", replace(GOOD, images=200, AP_interval=(0.925, 1.05)))
    assert "an interval from 0.96 on; give about 600 more" in said


def test_too_few_images_do_not_say_that_it_differs() -> None:
    verdict = judge("int8", replace(GOOD, images=40))
    assert verdict.differs == ()
    assert verdict.too_little == verdict.refused != ()


def test_no_interval_at_all_shows_nothing() -> None:
    assert "too few images" in refusal("int8", replace(GOOD, AP_interval=None))


def test_a_class_that_is_lost_is_refused_by_name() -> None:
    sign = ClassKept(share=0.9, interval=(0.85, 0.96), boxes=16)
    said = refusal("int8", replace(GOOD, classes={**GOOD.classes, "stop sign": sign}))
    assert said.startswith("stop sign keeps 90.0% of its AP (16 boxes, interval 0.850 to 0.960)")


def test_one_of_many_classes_may_be_below_by_chance() -> None:
    """An interval that just excludes 1 decides for one class, and not for one of eighty."""
    unlucky = ClassKept(share=0.96, interval=(0.93, 0.99), boxes=200)
    fine = ClassKept(share=1.0, interval=(0.98, 1.02), boxes=200)
    alone = judge("int8", replace(GOOD, classes={"person": unlucky}))
    among = judge("int8", replace(GOOD, classes={str(n): fine for n in range(79)} | {"a": unlucky}))
    assert not alone.passed
    assert among.passed
    assert among.not_shown == ("a (200 boxes)",)


@pytest.mark.parametrize("interval", [(0.8, 1.02), None])
def test_a_class_of_few_boxes_is_neither_passed_nor_failed(
    interval: tuple[float, float] | None,
) -> None:
    sign = ClassKept(share=0.95, interval=interval, boxes=16)
    verdict = judge("int8", replace(GOOD, classes={"stop sign": sign}))
    assert verdict.passed
    assert verdict.not_shown == ("stop sign (16 boxes)",)


def test_fp16_has_no_excuse_for_boxes_that_differ() -> None:
    assert "98.00% of 2000 boxes" in refusal("fp16", replace(GOOD, matched=0.98))
    assert "scores differ" in refusal("fp16", replace(GOOD, mean_score_difference=0.02))
    assert judge("int8", replace(GOOD, matched=0.7, mean_score_difference=0.04)).passed


def test_fp16_without_labels_is_judged_by_its_boxes_and_needs_enough_of_them() -> None:
    bare = replace(GOOD, images=0, AP_share=None, AP_interval=None, classes={})
    assert judge("fp16", bare).passed
    assert "only 40 boxes to compare in 24 images" in refusal("fp16", replace(bare, boxes=40))


def test_int8_without_labels_is_refused_with_the_option_to_give() -> None:
    bare = replace(GOOD, images=0, AP_share=None, AP_interval=None, classes={})
    assert "--data COCO.json" in refusal("int8", bare)


def test_every_reason_is_given() -> None:
    sign = ClassKept(share=0.5, interval=(0.3, 0.6), boxes=40)
    broken = replace(GOOD, AP_share=0.5, matched=0.1, classes={"stop sign": sign})
    verdict = judge("fp16", broken)
    assert len(verdict.refused) == len(verdict.differs) == 3


def test_limits_can_be_tighter() -> None:
    assert "wanted 100%" in refusal("int8", GOOD, GateLimits(share=0.999, margin=0.1))
