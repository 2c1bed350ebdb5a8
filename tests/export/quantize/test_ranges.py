"""Ranges and the steps that follow from them."""

import numpy as np
import pytest

from stopline.export.quantize.activation import Activation
from stopline.export.quantize.ranges import Histogram, RangeSettings, Reach, activation_of
from stopline.export.quantize.window import Window

PLAIN = RangeSettings(margin=1.0)


def reach_of(*frames: np.ndarray) -> Reach:
    reach = Reach()
    for frame in frames:
        reach.add(frame.astype(np.float32), counted=True)
    return reach


def two_channels(first: list[float], second: list[float]) -> np.ndarray:
    return np.array([first, second], np.float32).reshape(1, 2, 1, -1)


def test_every_channel_reaches_as_far_as_any_frame_showed() -> None:
    reach = reach_of(two_channels([0, 1], [-5, 0]), two_channels([-2, 0], [0, 9]))
    low, high = reach.limits
    assert (low.tolist(), high.tolist()) == ([-2, -5], [1, 9])


def test_every_channel_fills_all_steps() -> None:
    tensor = two_channels([-0.25, 0.75], [-2, 100])
    activation = activation_of(reach_of(tensor), PLAIN, shifted=True)
    steps = activation.scaled(tensor) / np.float32(activation.scale)
    assert np.rint(steps).reshape(2, 2).tolist() == [[-127, 127], [-127, 127]]


def test_a_zero_that_may_not_move_stays_zero() -> None:
    tensor = two_channels([0, 3], [-1, 8])
    activation = activation_of(reach_of(tensor), PLAIN, shifted=False)
    assert activation.shift is None
    assert activation.scaled(np.zeros_like(tensor)).max() == 0
    assert activation.scaled(tensor).max() == pytest.approx(1)


def test_a_margin_leaves_room_for_images_to_come() -> None:
    reach = reach_of(two_channels([0, 4], [-4, 4]))
    activation = activation_of(reach, RangeSettings(margin=1.25), shifted=True)
    further = two_channels([0, 5], [-5, 5])
    assert np.abs(activation.scaled(further)).max() == pytest.approx(1)


def test_a_channel_that_never_moves_is_not_blown_up() -> None:
    activation = activation_of(reach_of(two_channels([7, 7], [-1, 1])), PLAIN, shifted=True)
    assert activation.factor is not None
    assert np.isfinite(activation.factor).all()
    assert activation.factor[0] == pytest.approx(1000 * activation.factor[1])


def test_one_scale_for_the_tensor_is_symmetric() -> None:
    reach = reach_of(two_channels([-1, 2], [0, 12.7]))
    activation = activation_of(reach, RangeSettings("min-max"), shifted=True)
    assert activation.scale == pytest.approx(0.1)
    assert (activation.shift, activation.factor) == (None, None)


def test_a_percentile_leaves_the_rare_out() -> None:
    values = np.full((1, 1, 1, 10_000), 1.0)
    values[..., 0] = 1000
    reach = reach_of(values)
    settings = RangeSettings("percentile", percentile=99.9)
    assert activation_of(reach, settings, shifted=False).scale * 127 == pytest.approx(1, abs=0.3)


def test_a_histogram_that_grows_counts_as_one_that_knew() -> None:
    random = np.random.default_rng(0)
    values = np.abs(random.normal(size=(20, 1000))) * np.arange(1, 21)[:, None]
    growing = Histogram()
    for some in values:
        growing.add(some)
    assert growing.counts.sum() == values.size
    wanted = np.percentile(values, 99)
    assert growing.percentile(99) == pytest.approx(wanted, rel=0.01)


def test_steps_beyond_the_range_are_clipped() -> None:
    seen = Activation(0.5).dequantized(np.array([[-1000, -0.3, 0.2, 1000]], np.float32))
    assert seen.tolist() == [[-64, -0.5, 0, 63.5]]


def test_a_border_is_brought_along_only_where_zero_moves() -> None:
    window = Window((3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1)
    shift = np.array([5], np.float32)
    tensor = np.zeros((1, 1, 2, 2), np.float32)
    assert not Activation(1).borders(window)
    assert Activation(1).input_of_layer(tensor, window).shape == (1, 1, 2, 2)
    assert Activation(1, shift).borders(window)
    assert (Activation(1, shift).input_of_layer(tensor, window) == np.full((4, 4), -5)).all()
