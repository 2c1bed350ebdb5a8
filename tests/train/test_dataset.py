"""Which images a step sees, and that it sees the same whoever asks and whenever."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stopline.devices.coco import read_coco
from stopline.train.dataset import Batches, rare_first
from stopline.train.recipe import read_recipe
from stopline.train.sources import Places, open_training
from tests.train.tiny import silent, write_recipe, write_set


def batches(folder: Path, rank: int = 0, ranks: int = 1) -> Batches:
    recipe = read_recipe(write_recipe(folder))
    sources = open_training(recipe, Places(folder, folder / "cache"), silent)
    return Batches(recipe, sources, rank, ranks)


def test_a_step_gives_the_same_batch_in_any_order_and_every_process(tmp_path: Path) -> None:
    one, other = batches(tmp_path / "a"), batches(tmp_path / "b")
    forwards = [one[step] for step in range(3)]
    backwards = [other[step] for step in (2, 1, 0)][::-1]
    for (mine, my_marks), (theirs, their_marks) in zip(forwards, backwards, strict=True):
        assert torch.equal(mine, theirs)
        assert all(
            torch.equal(a.boxes, b.boxes) for a, b in zip(my_marks, their_marks, strict=True)
        )
    assert not torch.equal(forwards[0][0][0], forwards[0][0][1])


def test_processes_share_out_the_batch_that_one_would_have(tmp_path: Path) -> None:
    whole = batches(tmp_path)
    parts = [batches(tmp_path, rank, 2) for rank in range(2)]
    frames, marks = whole[0]
    for rank, part in enumerate(parts):
        their_frames, their_marks = part[0]
        assert torch.equal(their_frames, frames[rank::2])
        assert len(their_marks) == len(marks[rank::2])


def test_every_size_of_the_recipe_is_drawn(tmp_path: Path) -> None:
    all_batches = batches(tmp_path)
    shapes = {tuple(all_batches[step][0].shape) for step in range(12)}
    assert shapes == {(4, 3, 64, 96), (4, 3, 96, 96)}


def test_an_image_that_cannot_be_read_stops_before_the_first_step(tmp_path: Path) -> None:
    all_batches = batches(tmp_path)
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"3\.png"):
        all_batches.decode_all(silent)


def test_a_class_without_a_single_box_is_refused(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, ('["sign", "car"]', '["sign", "tram"]')))
    with pytest.raises(ValueError, match="class 'tram' has no box in any source; found car, sign"):
        open_training(recipe, Places(tmp_path, tmp_path), silent)


def test_a_source_can_be_one_of_several_in_a_file(tmp_path: Path) -> None:
    change = ('images = "."\n', 'images = "."\nsource = "elsewhere"\n')
    recipe = read_recipe(write_recipe(tmp_path, change))
    with pytest.raises(ValueError, match="no image whose source is 'elsewhere'; found None"):
        open_training(recipe, Places(tmp_path, tmp_path), silent)


def test_images_with_a_rare_class_are_drawn_more_often(tmp_path: Path) -> None:
    labels = write_set(tmp_path)
    images = read_coco(labels, tmp_path).images
    even = rare_first(images, 0.5)
    assert even == pytest.approx(np.full(len(images), 1 / len(images)))
    kept = labels.read_text().replace(
        '"image_id": 0, "category_id": 1', '"image_id": 0, "category_id": 2'
    )
    labels.write_text(kept.replace('"categories": [', '"categories": [{"id": 2, "name": "rare"}, '))
    odds = rare_first(read_coco(labels, tmp_path).images, 0.5)
    assert odds.sum() == pytest.approx(1)
    assert odds[0] / odds[1] == pytest.approx((0.5 / (1 / 6)) ** 0.5)
