"""Weights to integers, so that what the layer gives changes least.

`inputs` are what the layer sees when it runs in INT8, one row for each position; `targets` are
what it gives in FP32 there. The errors of the layers before are in the one and not in the other,
so fitting the one to the other corrects them too.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
MOST = 127  # -128 is left out, so that a weight and its negative are both there


@dataclass(frozen=True)
class RoundingSettings:
    """`ridge` holds the weights where the images say little: a share of the mean variance."""

    fit: bool = True  # the weights to the targets before they are rounded
    compensate: bool = True  # the error of each rounding in the weights that are not rounded yet
    clips: tuple[float, ...] = (1.0, 0.95, 0.9, 0.85, 0.8)  # of the largest weight of a channel
    ridge: float = 1e-3


class Rounded(NamedTuple):
    """`values * scales[:, None]` are the weights."""

    values: NDArray[np.int8]  # (outputs, inputs)
    scales: NDArray[np.float32]  # (outputs,)
    bias: NDArray[np.float32]  # (outputs,)


def rounded(
    weights: Doubles, inputs: Doubles, targets: Doubles, settings: RoundingSettings
) -> Rounded:
    """(outputs, inputs), (positions, inputs) and (positions, outputs) → integers and a bias.

    The bias makes the mean of each output right, which takes the place of bias correction.
    """
    mean, mean_target = inputs.mean(axis=0), targets.mean(axis=0)
    centred = inputs - mean
    spread = centred.T @ centred / len(inputs)
    hold = settings.ridge * float(np.diag(spread).mean()) or 1.0
    held = spread + hold * np.eye(len(spread))
    if settings.fit:
        shared = (targets - mean_target).T @ centred / len(inputs)
        weights = np.linalg.solve(held, (shared + hold * weights).T).T
    scales = best_scales(weights, held, settings.clips)
    values = compensated(weights, held, scales) if settings.compensate else nearest(weights, scales)
    bias = mean_target - (values * scales[:, None]) @ mean
    return Rounded(values.astype(np.int8), scales.astype(np.float32), bias.astype(np.float32))


def nearest(weights: Doubles, scales: Doubles) -> Doubles:
    """Each weight by itself."""
    return np.clip(np.rint(weights / scales[:, None]), -MOST, MOST)


def compensated(weights: Doubles, spread: Doubles, scales: Doubles) -> Doubles:
    """GPTQ (arXiv 2210.17323): what rounding one input's weights costs, the rest makes up for.

    `spread` (inputs, inputs) says how the inputs vary together. The loudest come first, while
    there are many left to make up for them.
    """
    order = np.argsort(-np.diag(spread), kind="stable")
    inverse = np.linalg.inv(spread[np.ix_(order, order)])
    upper = np.linalg.cholesky((inverse + inverse.T) / 2).T
    left = weights[:, order].copy()
    values = np.zeros_like(left)
    for at in range(left.shape[1]):
        values[:, at] = nearest(left[:, [at]], scales)[:, 0]
        error = (left[:, at] - values[:, at] * scales) / upper[at, at]
        left[:, at + 1 :] -= np.outer(error, upper[at, at + 1 :])
    found: Doubles = values[:, np.argsort(order)]
    return found


def best_scales(weights: Doubles, spread: Doubles, clips: tuple[float, ...]) -> Doubles:
    """For each output the scale whose nearest weights change it least."""
    largest = np.abs(weights).max(axis=1)
    largest[largest == 0] = 1
    scales = np.stack([largest * clip / MOST for clip in clips])  # (clips, outputs)
    errors = np.stack([output_errors(weights, each, spread) for each in scales])
    best: Doubles = np.take_along_axis(scales, errors.argmin(axis=0)[None], 0)[0]
    return best.astype(np.float32).astype(np.float64)


def output_errors(weights: Doubles, scales: Doubles, spread: Doubles) -> Doubles:
    """(outputs,): the variance that rounding to the nearest adds to each."""
    wrong = nearest(weights, scales) * scales[:, None] - weights
    errors: Doubles = ((wrong @ spread) * wrong).sum(axis=1)
    return errors
