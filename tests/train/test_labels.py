"""What a data set says, what a teacher adds, and what stays unknown."""

from pathlib import Path

import numpy as np
import torch

from stopline.devices.coco import LabelledImage
from stopline.runtime.detections import Detections
from stopline.train.labels import Trust, marks_of
from stopline.train.marks import IGNORE, REGION

CLASSES = ("person", "car", "truck", "stop sign")
PERSON, CAR, TRUCK, STOP = range(4)
KNOWS = ("person", "car", "truck", "dog")  # the teacher: a dog more, no stop sign
TRUST = Trust(0.1, 0.5)


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


def found(*rows: tuple[str, float, list[float]]) -> Detections:
    return Detections(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([KNOWS.index(name) for name, _, _ in rows], np.int64),
        KNOWS,
    )


def test_an_image_without_labels_is_one_region_and_no_objects() -> None:
    marks = marks_of(image(), CLASSES, None, TRUST)
    assert marks.kinds.tolist() == [REGION]
    assert marks.boxes.tolist() == [[0, 0, 100, 80]]
    assert marks.known.all()


def test_classes_that_nobody_looked_for_are_unknown_in_the_region_and_on_its_boxes() -> None:
    signs_only = image(("stop sign", [5, 5, 20, 20]), labelled=frozenset({"stop sign"}))
    marks = marks_of(signs_only, CLASSES, None, TRUST)
    for row in marks.known.tolist():
        assert row == [False, False, False, True]


def test_a_positive_only_class_has_boxes_but_no_known_background() -> None:
    few = image(("car", [5, 5, 20, 20]), labelled=frozenset(), positive_only=frozenset({"car"}))
    marks = marks_of(few, CLASSES, None, TRUST)
    assert marks.objects().kinds.tolist() == [CAR]
    assert not marks.regions().known.any()


def test_a_crowd_is_ignored() -> None:
    marks = marks_of(image(("person", [5, 5, 60, 60]), crowd=True), CLASSES, None, TRUST)
    assert marks.kinds.tolist() == [IGNORE, REGION]


def test_a_class_the_recipe_does_not_want_leaves_no_mark() -> None:
    marks = marks_of(image(("dog", [5, 5, 60, 60])), CLASSES, None, TRUST)
    assert marks.kinds.tolist() == [REGION]


def test_where_trucks_were_labelled_as_cars_a_car_says_nothing_of_trucks() -> None:
    merged = image(
        ("car", [5, 5, 60, 60]), ("person", [70, 5, 80, 40]), labelled_as={"truck": "car"}
    )
    car, person, region = marks_of(merged, CLASSES, None, TRUST).known.tolist()
    assert car == [True, True, False, True]
    assert person == region == [True, True, True, True]


def test_what_only_the_teacher_sees_is_believed_or_ignored_as_it_is_sure() -> None:
    signs_only = image(("stop sign", [5, 5, 20, 20]), labelled=frozenset({"stop sign"}))
    seen = found(("person", 0.9, [40, 40, 60, 80]), ("car", 0.2, [70, 50, 90, 70]))
    marks = marks_of(signs_only, CLASSES, seen, TRUST)
    assert marks.kinds.tolist() == [STOP, REGION, PERSON, IGNORE]
    assert marks.known[0].tolist() == [True, True, True, True]
    assert marks.known[2].tolist() == [True, True, True, False]


def test_a_doubtful_glimpse_of_the_teacher_is_background() -> None:
    signs_only = image(labelled=frozenset({"stop sign"}))
    seen = found(("person", 0.09, [40, 40, 60, 80]))
    assert marks_of(signs_only, CLASSES, seen, TRUST).kinds.tolist() == [REGION]


def test_a_label_outranks_the_teacher() -> None:
    people = image(("person", [40, 40, 60, 80]), labelled=frozenset({"person"}))
    seen = found(("car", 0.9, [41, 41, 60, 80]), ("person", 0.9, [5, 5, 20, 60]))
    assert marks_of(people, CLASSES, seen, TRUST).kinds.tolist() == [PERSON, REGION]


def test_the_teacher_is_not_asked_about_a_truck_where_trucks_were_labelled_as_cars() -> None:
    cars = image(labelled=frozenset({"car"}), labelled_as={"truck": "car"})
    seen = found(("truck", 0.9, [5, 5, 60, 60]))
    assert marks_of(cars, CLASSES, seen, TRUST).kinds.tolist() == [REGION]


def test_an_object_of_a_class_the_new_detector_lacks_is_ignored_not_unlearnt() -> None:
    seen = found(("dog", 0.9, [5, 5, 60, 60]))
    assert marks_of(image(), CLASSES, seen, TRUST).kinds.tolist() == [REGION, IGNORE]


def test_boxes_have_the_types_the_loss_expects() -> None:
    marks = marks_of(image(), CLASSES, found(), TRUST)
    assert marks.boxes.dtype == torch.float32
    assert marks.kinds.dtype == torch.int64
    assert marks.known.dtype == torch.bool
