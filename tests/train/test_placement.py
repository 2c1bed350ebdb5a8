"""Boxes stay on their objects, whatever is done to the picture."""

import numpy as np
import pytest
import torch

from stopline.runtime.arrays import Image
from stopline.train.marks import IGNORE, REGION, Marks
from stopline.train.placement import GREY, Sample, mosaic, place
from stopline.train.recipe import Augment
from stopline.train.variation import vary
from tests.train.tiny import CLASSES, marks, whole

RED = (0, 0, 255)


def red_square(height: int = 90, width: int = 120) -> Sample:
    image = np.full((height, width, 3), 60, np.uint8)
    image[30:60, 40:90] = RED
    return Sample(image, marks(([40, 30, 90, 60], 0), whole(width, height)))


def blank(height: int = 96, width: int = 128) -> Image:
    return np.full((height, width, 3), GREY, np.uint8)


def red_box(canvas: Image) -> list[float]:
    """Where the picture is red, as xyxy."""
    red = (canvas[..., 2] > 150) & (canvas[..., 1] < 90)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def test_an_image_without_objects_covers_its_part_of_the_canvas() -> None:
    sample = Sample(np.zeros((90, 120, 3), np.uint8), marks(whole(120, 90)))
    placed = place(sample, blank(), (0.5, 0.5), np.random.default_rng(0))
    assert placed.kinds.tolist() == [REGION]
    size = (placed.boxes[0, 2:] - placed.boxes[0, :2]).tolist()
    assert size == pytest.approx([64, 48])


@pytest.mark.parametrize("zoom", [0.4, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_placed_box_is_where_its_object_is(zoom: float, seed: int) -> None:
    canvas = blank()
    placed = place(red_square(), canvas, (zoom, zoom), np.random.default_rng(seed))
    boxes = placed.boxes[placed.kinds != REGION]
    if len(boxes):
        assert boxes[0].tolist() == pytest.approx(red_box(canvas), abs=2.5)


@pytest.mark.parametrize("seed", range(4))
def test_a_varied_box_is_where_its_object_is(seed: int) -> None:
    sample = red_square()
    canvas = sample.image.copy()
    augment = Augment(flip=1.0, blur=0.5, jpeg=0.5)
    varied = vary(canvas, sample.marks, augment, np.random.default_rng(seed))
    assert varied.boxes[0].tolist() == [30, 30, 80, 60]
    assert varied.boxes[0].tolist() == pytest.approx(red_box(canvas), abs=3)


def test_a_mosaic_holds_four_images_each_in_its_corner() -> None:
    canvas = blank(192, 256)
    placed = mosaic([red_square()] * 4, canvas, [(0.9, 0.9)] * 4, np.random.default_rng(1))
    regions = placed.regions().boxes
    assert len(regions) == 4
    assert (placed.boxes[:, :2] >= 0).all()
    assert (placed.boxes[:, 2:] <= torch.tensor([256.0, 192.0])).all()
    middle = regions[0, 2:]
    assert (regions[3, :2] >= middle - 1).all()


def test_what_the_canvas_cuts_to_a_sliver_is_ignored_not_learnt() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    sample = Sample(image, marks(([0, 0, 30, 100], 0)))
    seen = set()
    for seed in range(40):
        placed = place(sample, blank(100, 100), (1.3, 1.3), np.random.default_rng(seed))
        for box, kind in zip(placed.boxes, placed.kinds.tolist(), strict=True):
            share = float((box[2:] - box[:2]).prod()) / (1.3 * 30 * 1.3 * 100)
            assert share < 0.37 if kind == IGNORE else share > 0.33
            seen.add(kind)
    assert seen == {0, IGNORE}


def test_a_box_of_two_pixels_is_ignored() -> None:
    sample = Sample(np.zeros((96, 128, 3), np.uint8), marks(([10, 10, 12, 20], 0)))
    placed = place(sample, blank(), (1, 1), np.random.default_rng(0))
    assert placed.kinds.tolist() == [IGNORE]


def test_no_marks_are_no_trouble() -> None:
    none = Marks.none(len(CLASSES))
    sample = Sample(np.zeros((96, 128, 3), np.uint8), none)
    canvas = blank()
    placed = place(sample, canvas, (0.5, 2), np.random.default_rng(0))
    assert len(vary(canvas, placed, Augment(), np.random.default_rng(0))) == 0


def test_a_gentle_variation_of_nothing_changes_nothing() -> None:
    canvas = red_square().image.copy()
    still = Augment(flip=0, brightness=0, contrast=0, saturation=0, jpeg=0, blur=0)
    vary(canvas, Marks.none(len(CLASSES)), still, np.random.default_rng(0))
    assert np.array_equal(canvas, red_square().image)
