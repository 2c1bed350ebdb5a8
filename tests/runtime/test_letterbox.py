"""Frames go into the input and boxes come back out to the same pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopline.runtime.letterbox import Resize, fit_into, letterbox

RESIZES: list[Resize] = ["letterbox_top_left", "letterbox_center", "stretch"]
sides = st.integers(1, 2000)


@pytest.mark.parametrize("resize", RESIZES)
@given(frame_wh=st.tuples(sides, sides), input_wh=st.tuples(sides, sides))
def test_a_box_goes_into_the_input_and_back(
    resize: Resize, frame_wh: tuple[int, int], input_wh: tuple[int, int]
) -> None:
    fit = fit_into(frame_wh, input_wh, resize)
    box = np.array([[0, 0, *frame_wh]], np.float32)
    back = fit.frame_from_input(fit.input_from_frame(box))
    np.testing.assert_allclose(back, box, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("resize", RESIZES)
def test_no_boxes_stay_no_boxes(resize: Resize) -> None:
    fit = fit_into((10, 10), (20, 20), resize)
    assert fit.frame_from_input(np.empty((0, 4), np.float32)).shape == (0, 4)


def test_boxes_are_clipped_to_the_frame() -> None:
    fit = fit_into((100, 50), (100, 100), "letterbox_top_left")
    boxes = np.array([[-5, -5, 300, 90]], np.float32)
    assert fit.frame_from_input(boxes).tolist() == [[0, 0, 100, 50]]


def test_a_wide_frame_leaves_padding_below() -> None:
    into = np.zeros((100, 100, 3), np.uint8)
    fit = letterbox(np.full((50, 100, 3), 7, np.uint8), into, "letterbox_top_left", 114)
    assert fit.scale_xy == (1, 1)
    assert (into[:50] == 7).all()
    assert (into[50:] == 114).all()


def test_a_centred_frame_has_padding_on_both_sides() -> None:
    into = np.zeros((100, 100, 3), np.uint8)
    fit = letterbox(np.full((100, 50, 3), 7, np.uint8), into, "letterbox_center", 0)
    assert fit.offset_xy == (25, 0)
    assert (into[:, 25:75] == 7).all()
    assert (into[:, :25] == 0).all()
    assert (into[:, 75:] == 0).all()


def test_padding_of_the_frame_before_is_painted_over() -> None:
    into = np.zeros((64, 64, 3), np.uint8)
    letterbox(np.full((64, 64, 3), 200, np.uint8), into, "letterbox_top_left", 114)
    letterbox(np.full((64, 32, 3), 7, np.uint8), into, "letterbox_top_left", 114)
    assert (into[:, :32] == 7).all()
    assert (into[:, 32:] == 114).all()


def test_the_input_buffer_is_the_same_memory() -> None:
    batch = np.zeros((2, 64, 64, 3), np.uint8)
    letterbox(np.full((128, 128, 3), 9, np.uint8), batch[1], "stretch", 114)
    assert (batch[0] == 0).all()
    assert (batch[1] == 9).all()
