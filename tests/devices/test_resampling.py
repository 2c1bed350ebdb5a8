"""AP of a set drawn again is COCO's AP of that set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stopline.devices.average_precision import MIN_IOUS, curves
from stopline.devices.coco import LabelledImage
from stopline.devices.hits import hits
from stopline.devices.judging import Judged
from stopline.devices.resampling import drawn, interval, resampled_ap

CLASSES = 3
ALL_IOUS = range(len(MIN_IOUS))


def scene(random: np.random.Generator, ties: bool) -> Judged:
    """Some labels, some of them crowds, and detections on, near and off them."""
    labels, strays = (random.integers(0, 7, 2)).tolist()
    corner = random.uniform(0, 80, (labels, 2))
    boxes = np.hstack([corner, corner + random.uniform(4, 30, (labels, 2))]).astype(np.float32)
    near = boxes + random.normal(0, 1.5, boxes.shape).astype(np.float32)
    far = random.uniform(0, 60, (strays, 4)).astype(np.float32)
    far[:, 2:] += far[:, :2]
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 0.5)
    found = np.concatenate([near, near[: labels // 2] + 0.7, far]).astype(np.float32)
    scores = -np.sort(-random.random(len(found)))
    if ties:
        scores = np.ceil(scores * 10) / 10
    nobody = frozenset[str]()
    return Judged(
        image=LabelledImage(
            Path("x.png"), 120, 120, nobody, nobody, {}, boxes, (), np.zeros(0, bool)
        ),
        boxes=boxes,
        classes=random.integers(0, CLASSES, labels),
        crowd=random.random(labels) < 0.2,
        found_boxes=found[random.permutation(len(found))],
        found_scores=scores,
        found_classes=random.integers(0, CLASSES, len(found)),
    )


def scenes(seed: int, count: int, ties: bool = False) -> list[Judged]:
    random = np.random.default_rng(seed)
    return [scene(random, ties) for _ in range(count)]


def coco(judged: Sequence[Judged]) -> list[float]:
    precision = curves(judged, CLASSES).precision  # (10, 101, classes)
    return [float(precision[..., index].mean()) for index in range(CLASSES)]


@pytest.mark.parametrize("seed", range(20))
def test_a_set_as_it_is_has_the_ap_that_coco_gives_it(seed: int) -> None:
    judged = scenes(seed, 9, ties=seed % 2 == 0)
    once = np.ones((1, len(judged)))
    ours = resampled_ap(hits(judged, CLASSES), once, ALL_IOUS)[0]
    np.testing.assert_allclose(ours, coco(judged), atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("seed", range(10))
def test_a_draw_has_the_ap_of_the_set_with_images_repeated_and_left_out(seed: int) -> None:
    judged = scenes(seed, 8)
    counts = np.random.default_rng(seed).integers(0, 4, (1, 8))
    repeated = [one for one, times in zip(judged, counts[0], strict=True) for _ in range(times)]
    ours = resampled_ap(hits(judged, CLASSES), counts.astype(float), ALL_IOUS)[0]
    np.testing.assert_allclose(ours, coco(repeated), atol=1e-12, equal_nan=True)


def test_nothing_found_and_nothing_there() -> None:
    blank = replace(
        scenes(0, 1)[0],
        found_boxes=np.empty((0, 4), np.float32),
        found_scores=np.empty(0),
        found_classes=np.empty(0, np.int64),
    )
    there = np.unique(blank.classes[~blank.crowd])
    ap = resampled_ap(hits([blank], CLASSES), np.ones((1, 1)), ALL_IOUS)[0]
    assert np.flatnonzero(ap == 0).tolist() == there.tolist()
    assert np.isnan(np.delete(ap, there)).all()


def test_images_are_drawn_with_replacement_and_frames_of_one_drive_together() -> None:
    counts = drawn(["a", None, "a", None, "a"], 200)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 0] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert counts.max() > 1
    assert (counts == drawn(["a", None, "a", None, "a"], 200)).all()


def test_few_boxes_have_no_interval() -> None:
    assert interval(np.ones(100), 9) is None
    assert interval(np.ones(100), 10) == (1, 1)
    assert interval(np.full(100, np.nan), 99) is None
