"""The layers whose noise is heard most stay in float, and no more than there is room for."""

import pytest

from stopline.export.quantize.int8 import (
    Int8Settings,
    chosen_float_layers,
    default_float_layers,
    int8_model,
)
from stopline.export.quantize.loudest import loudest
from tests.export.quantize.nets import DEPTHWISE, HEAD, POINTWISE, STEM, net, scenes

USUAL = frozenset({DEPTHWISE, HEAD})


def test_what_is_loud_for_its_macs_stays_in_float() -> None:
    assert loudest(net(), USUAL, {STEM: 0.1, POINTWISE: 0.9}, least_int8=0) == {POINTWISE}


def test_no_more_than_needed_for_nine_tenths_of_the_noise() -> None:
    assert loudest(net(), USUAL, {STEM: 0.08, POINTWISE: 0.92}, least_int8=0) == {POINTWISE}
    assert loudest(net(), USUAL, {STEM: 0.5, POINTWISE: 0.5}, least_int8=0) == {STEM, POINTWISE}


def test_a_layer_that_does_not_fit_is_passed_over() -> None:
    noise = {STEM: 0.9, POINTWISE: 0.1}  # the stem is most of the multiply-accumulates
    assert loudest(net(), USUAL, noise, least_int8=0.4) == {POINTWISE}


def test_without_noise_nothing_more_stays_in_float() -> None:
    assert loudest(net(), USUAL, {STEM: 0.0, POINTWISE: 0.0}, least_int8=0) == frozenset()


@pytest.mark.parametrize("least", [0.0, 0.5])
def test_the_int8_graph_keeps_to_the_share_that_is_asked(least: float) -> None:
    settings = Int8Settings(least_int8=least)
    chosen = chosen_float_layers(net(), scenes(), settings)
    assert default_float_layers(net()) <= chosen
    made = int8_model(net(), scenes(), settings)
    assert set(made.float_layers) == chosen
    assert made.int8_macs >= least
