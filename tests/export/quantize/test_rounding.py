"""Weights become integers so that the layer's answer changes least."""

import numpy as np
import pytest

from stopline.export.quantize.rounding import (
    RoundingSettings,
    best_scales,
    compensated,
    nearest,
    rounded,
)

RANDOM = np.random.default_rng(0)
# Inputs that vary together, as channels of a detector do.
MIXED = RANDOM.normal(size=(2000, 6)) @ RANDOM.normal(size=(6, 24)) + RANDOM.normal(size=(2000, 24))
WEIGHTS = RANDOM.normal(size=(5, 24))
SPREAD = np.cov(MIXED.T, bias=True)
COARSE = np.full(5, 0.5)  # few steps, so that rounding hurts


def error(values: np.ndarray, scales: np.ndarray) -> float:
    """Of the layer's answer, in power."""
    wrong = MIXED @ (values * scales[:, None] - WEIGHTS).T
    return float(np.mean((wrong - wrong.mean(axis=0)) ** 2))


def test_compensated_rounding_answers_better_than_the_nearest() -> None:
    found = error(compensated(WEIGHTS, SPREAD, COARSE), COARSE)
    assert found < 0.5 * error(nearest(WEIGHTS, COARSE), COARSE)


def test_where_inputs_are_independent_the_nearest_is_the_best() -> None:
    apart = np.diag(np.diag(SPREAD))
    assert (compensated(WEIGHTS, apart, COARSE) == nearest(WEIGHTS, COARSE)).all()


def test_no_weight_leaves_the_127_steps() -> None:
    scales = np.abs(WEIGHTS).max(axis=1) / 60
    assert np.abs(nearest(WEIGHTS * 9, scales)).max() == 127
    assert np.abs(compensated(WEIGHTS * 9, SPREAD, scales)).max() == 127


def test_exact_weights_stay_exact() -> None:
    integers = RANDOM.integers(-127, 128, (5, 24)).astype(float)
    integers[:, 0] = 127
    found = rounded(integers / 64, MIXED, MIXED @ integers.T / 64 + 3, RoundingSettings())
    assert (found.values == integers).all()
    assert found.scales == pytest.approx(1 / 64)
    assert found.bias == pytest.approx(3, abs=1e-2)


def test_the_mean_of_every_output_is_right() -> None:
    targets = MIXED @ WEIGHTS.T + 10
    inputs = MIXED + 0.7  # what the layers before did wrong on average
    found = rounded(WEIGHTS, inputs, targets, RoundingSettings(fit=False, compensate=False))
    answers = inputs @ (found.values * found.scales[:, None]).T + found.bias
    assert answers.mean(axis=0) == pytest.approx(targets.mean(axis=0), abs=1e-4)


def test_fitting_takes_back_what_the_layers_before_did_wrong() -> None:
    targets = MIXED @ WEIGHTS.T
    inputs = MIXED.copy()
    inputs[:, 3] *= 0.5

    def error_of(settings: RoundingSettings) -> float:
        found = rounded(WEIGHTS, inputs, targets, settings)
        answers = inputs @ (found.values * found.scales[:, None]).T + found.bias
        return float(np.mean((answers - targets) ** 2))

    assert error_of(RoundingSettings()) < 0.05 * error_of(RoundingSettings(fit=False))


def test_an_outlier_is_clipped_where_that_answers_better() -> None:
    lonely = WEIGHTS.copy()
    lonely[0, 0] = 40
    quiet = SPREAD.copy()
    quiet[0, :] = quiet[:, 0] = 0
    quiet[0, 0] = 1e-9  # an input that hardly ever speaks
    found = best_scales(lonely, quiet, (1.0, 0.1))
    assert found[0] == pytest.approx(0.1 * 40 / 127)


def test_an_output_without_weights_gets_a_scale_that_is_not_zero() -> None:
    found = rounded(np.zeros((2, 24)), MIXED, np.zeros((2000, 2)), RoundingSettings())
    assert (found.scales > 0).all()
    assert (found.values == 0).all()
