"""An image is made once for all who look, and not more often than agreed."""

import cv2
import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.frame import NO_IMAGE, Result
from stopline.runtime.sinks.draw import SLATE
from stopline.runtime.sinks.view.pictures import Pictures, Wish, boxed, jpeg_of, plain
from tests.runtime.clips import grey
from tests.runtime.sinks.view.shown import dead, live

MS = 1_000_000
RESULTS = [live(grey(0)) for _ in range(4)]


class Counting:
    """Draws, and says how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, result: Result, most_width: int) -> Image:
        self.count += 1
        return plain(result, most_width)


def test_the_same_frame_is_made_once() -> None:
    pictures, draw = Pictures(15, lambda: 0), Counting()
    first = pictures.of(Wish(RESULTS[0], 1, 0), 960, draw)
    assert pictures.of(Wish(RESULTS[0], 1, 0), 960, draw) is first
    assert draw.count == 1


def test_whoever_comes_a_moment_later_gets_the_one_just_made() -> None:
    now = [0]
    pictures, draw = Pictures(10, lambda: now[0]), Counting()
    first = pictures.of(Wish(RESULTS[1], 1, 0), 960, draw)
    now[0] = 99 * MS
    assert pictures.of(Wish(RESULTS[2], 2, 0), 960, draw) is first
    assert first.result is RESULTS[1]  # and the boxes of that frame, not of the newest
    now[0] = 100 * MS
    assert pictures.of(Wish(RESULTS[2], 2, 0), 960, draw).result is RESULTS[2]


def test_whoever_has_the_one_just_made_gets_the_newest() -> None:
    pictures, draw = Pictures(10, lambda: 0), Counting()
    pictures.of(Wish(RESULTS[1], 1, 0), 960, draw)
    assert pictures.of(Wish(RESULTS[2], 2, 1), 960, draw).number == 2


def test_a_wide_image_is_made_narrower_and_a_narrow_one_left() -> None:
    assert plain(live(grey(0, (720, 1280))), 960).shape == (540, 960, 3)
    assert plain(live(grey(0, (48, 64))), 960).shape == (48, 64, 3)


def test_boxes_burnt_in_lie_where_they_belong_after_narrowing() -> None:
    image = boxed(live(grey(128, (400, 800))), 200)
    assert image.shape == (100, 200, 3)
    assert np.abs(image[49:52, 20:90].astype(int) - 128).max() > 20  # lower edge of the box
    assert (image[60:, 110:] == 128).all()


def test_without_a_frame_it_is_a_slate() -> None:
    assert (boxed(dead(), 320)[100] == SLATE).all()


def test_a_jpeg_can_be_read_again() -> None:
    read = cv2.imdecode(np.frombuffer(jpeg_of(grey(77)), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert np.abs(read.astype(int) - 77).max() <= 2


def test_a_result_that_was_stripped_of_its_image_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without pixels"):
        jpeg_of(NO_IMAGE)
