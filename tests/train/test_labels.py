"""What a data set says of an image, and what stays unknown."""

from pathlib import Path

import numpy as np
import torch

from stopline.devices.coco import LabelledImage
from stopline.train.labels import marks_of
from stopline.train.marks import IGNORE, REGION

CLASSES = ("person", "car", "truck", "stop sign")
CAR = CLASSES.index("car")


def image(*labels: tuple[str, list[float]], crowd: bool = False, **said: object) -> LabelledImage:
    facts = {"labelled": frozenset(CLASSES), "positive_only": frozenset(), "labelled_as": {}}
    return LabelledImage(
        path=Path("a.png"),
        width=100,
        height=80,
        boxes=np.array([box for _, box in labels], np.float32).reshape(-1, 4),
        names=tuple(name for name, _ in labels),
        crowd=np.full(len(labels), crowd),
        **{**facts, **said},  # type: ignore[arg-type]
    )


def test_an_image_without_labels_is_one_region_and_no_objects() -> None:
    marks = marks_of(image(), CLASSES)
    assert marks.kinds.tolist() == [REGION]
    assert marks.boxes.tolist() == [[0, 0, 100, 80]]
    assert marks.known.all()


def test_classes_that_nobody_looked_for_are_unknown_in_the_region_and_on_its_boxes() -> None:
    signs_only = image(("stop sign", [5, 5, 20, 20]), labelled=frozenset({"stop sign"}))
    marks = marks_of(signs_only, CLASSES)
    for row in marks.known.tolist():
        assert row == [False, False, False, True]


def test_a_positive_only_class_has_boxes_but_no_known_background() -> None:
    few = image(("car", [5, 5, 20, 20]), labelled=frozenset(), positive_only=frozenset({"car"}))
    marks = marks_of(few, CLASSES)
    assert marks.objects().kinds.tolist() == [CAR]
    assert not marks.regions().known.any()


def test_a_crowd_is_ignored() -> None:
    marks = marks_of(image(("person", [5, 5, 60, 60]), crowd=True), CLASSES)
    assert marks.kinds.tolist() == [IGNORE, REGION]


def test_a_class_the_recipe_does_not_want_leaves_no_mark() -> None:
    marks = marks_of(image(("dog", [5, 5, 60, 60])), CLASSES)
    assert marks.kinds.tolist() == [REGION]


def test_where_trucks_were_labelled_as_cars_a_car_says_nothing_of_trucks() -> None:
    merged = image(
        ("car", [5, 5, 60, 60]), ("person", [70, 5, 80, 40]), labelled_as={"truck": "car"}
    )
    car, person, region = marks_of(merged, CLASSES).known.tolist()
    assert car == [True, True, False, True]
    assert person == region == [True, True, True, True]


def test_boxes_have_the_types_the_loss_expects() -> None:
    marks = marks_of(image(), CLASSES)
    assert marks.boxes.dtype == torch.float32
    assert marks.kinds.dtype == torch.int64
    assert marks.known.dtype == torch.bool
