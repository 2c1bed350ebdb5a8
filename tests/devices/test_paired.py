"""The share of AP that a variant keeps, where it is known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stopline.devices.coco import LabelledImage
from stopline.devices.judging import Judged
from stopline.devices.paired import Paired, paired

NAMES = ("car", "person")
NOBODY = frozenset[str]()


def street(at: int, cars: int = 2, people: int = 1) -> Judged:
    """All found, and where they are."""
    count = cars + people
    left = np.arange(count) * 40.0
    boxes = np.stack([left, left * 0, left + 30, left * 0 + 30], axis=1).astype(np.float32)
    classes = np.repeat([0, 1], [cars, people])
    image = LabelledImage(
        Path(f"{at}.png"), 400, 40, NOBODY, NOBODY, {}, boxes, (), np.zeros(0, bool)
    )
    scores = np.linspace(0.9, 0.5, count)
    return Judged(image, boxes, classes, np.zeros(count, bool), boxes, scores, classes)


def without(street: Judged, lost: Sequence[bool]) -> Judged:
    left = ~np.array(lost)
    return replace(
        street,
        found_boxes=street.found_boxes[left],
        found_scores=street.found_scores[left],
        found_classes=street.found_classes[left],
    )


def compared(count: int, variant: Callable[[int, Judged], Judged]) -> Paired:
    streets = [street(at) for at in range(count)]
    return paired(streets, [variant(at, one) for at, one in enumerate(streets)], NAMES)


def test_the_same_answer_keeps_all_of_it_without_a_doubt() -> None:
    same = compared(50, lambda at, one: one)
    assert (same.share, same.interval) == (1, (1, 1))
    assert [same.before, same.after] == pytest.approx([1, 1])
    assert {name: kept.boxes for name, kept in same.classes.items()} == {"car": 100, "person": 50}


def test_a_class_that_is_lost_in_every_fifth_image_keeps_four_fifths() -> None:
    lost = compared(100, lambda at, one: without(one, [False, False, at % 5 == 0]))
    person, car = lost.classes["person"], lost.classes["car"]
    assert car.share == 1
    assert person.share == pytest.approx(0.8, abs=0.01)
    assert lost.share == pytest.approx(0.9, abs=0.01)
    assert person.interval is not None
    low, high = person.interval
    assert 0.7 < low < 0.8 < high < 0.9


def test_the_interval_narrows_with_the_root_of_the_number_of_images() -> None:
    def width(count: int) -> float:
        said = compared(count, lambda at, one: without(one, [at % 5 == 0] * 3)).interval
        assert said is not None
        return said[1] - said[0]

    assert width(30) / width(120) == pytest.approx(2, rel=0.3)


def test_one_drive_shows_less_than_as_many_images_apart() -> None:
    """Half of the drives are bad: drawn by drive that is far less sure than drawn by image."""
    streets = [street(at) for at in range(40)]
    drives = [
        replace(one, image=replace(one.image, group=f"{at // 10}"))
        for at, one in enumerate(streets)
    ]
    widths = []
    for judged in (streets, drives):
        lost = [without(one, [at < 20, False, False]) for at, one in enumerate(judged)]
        within = paired(judged, lost, NAMES).interval
        assert within is not None
        widths.append(within[1] - within[0])
    assert widths[1] > 2 * widths[0]


def test_what_both_miss_is_no_loss() -> None:
    streets = [without(street(at), [at % 3 == 0, False, False]) for at in range(30)]
    assert paired(streets, streets, NAMES).share == 1


def test_pairs_are_judged_on_the_same_draws() -> None:
    """Apart, each AP of these is known to ± .1; that they are the same is known for certain."""
    streets = [without(street(at), [at % 2 == 0] * 3) for at in range(60)]
    assert paired(streets, streets, NAMES).interval == (1, 1)


def test_a_variant_that_finds_nothing_keeps_nothing() -> None:
    gone = compared(20, lambda at, one: without(one, [True] * 3))
    assert (gone.share, gone.interval) == (0, (0, 0))


def test_a_reference_that_finds_nothing_gives_no_share() -> None:
    streets = [street(at) for at in range(20)]
    blind = [without(one, [True] * 3) for one in streets]
    said = paired(blind, streets, NAMES)
    assert (said.share, said.interval, said.classes) == (None, None, {})


def test_a_class_of_few_boxes_has_a_share_and_no_interval() -> None:
    streets = [street(at, people=int(at < 5)) for at in range(30)]
    person = paired(streets, streets, NAMES).classes["person"]
    assert (person.share, person.interval, person.boxes) == (1, None, 5)
