"""Rendered streets are a labelled set like any other, made once."""

from pathlib import Path

import msgspec
import numpy as np

from stopline.devices.coco import load_image
from stopline.runtime.sim.settings import CLASSES
from stopline.train.recipe import SimSource
from stopline.train.simulated import render_streets
from tests.train.tiny import silent

SOURCE = SimSource(
    name="sim", licence="Apache-2.0", commercial=True, count=2, width=160, height=96, seed=4
)


def test_streets_are_fully_labelled_and_rendered_once(tmp_path: Path) -> None:
    first = render_streets(SOURCE, tmp_path, silent)
    assert first.classes == CLASSES
    assert all(image.labelled == frozenset(CLASSES) for image in first.images)
    assert load_image(first.images[0]).shape == (96, 160, 3)
    drawn_otherwise = msgspec.structs.replace(SOURCE, weight=9.0, zoom=(0.3, 2.0))
    again = render_streets(drawn_otherwise, tmp_path, silent)
    assert [image.path for image in again.images] == [image.path for image in first.images]
    other = render_streets(msgspec.structs.replace(SOURCE, seed=5), tmp_path, silent)
    assert not np.array_equal(load_image(other.images[0]), load_image(first.images[0]))


def test_what_is_too_small_is_to_be_ignored(tmp_path: Path) -> None:
    strict = msgspec.structs.replace(SOURCE, min_side=1000.0)
    assert all(image.crowd.all() for image in render_streets(strict, tmp_path, silent).images)
