"""The efficiency that explains published times best, by trying all on a grid."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from planning.published import Figure

from stopline.devices.planning.efficiency import Efficiency
from stopline.devices.planning.roofline import IDEAL, timed, total_ms
from stopline.devices.profiles.profile import profile

# Steps of 5 to 10 %: times do not tell finer ones apart.
FP16 = np.geomspace(0.25, 1.0, 15)
INT8 = np.geomspace(0.15, 0.75, 17)
BANDWIDTH = np.geomspace(0.2, 1.0, 17)
FLOOR_US_GHZ = np.arange(10.0, 52.0, 2.0)


def predicted_ms(figure: Figure, reached: Efficiency) -> float:
    """Through the very code of `stopline plan`."""
    kernels = figure.net.kernels(figure.precision)
    return total_ms(timed(kernels, profile(figure.device), reached))


def errors(figures: Sequence[Figure], reached: Efficiency) -> NDArray[np.float64]:
    """Relative: +0.1 is 10 % too slow."""
    return np.array([predicted_ms(one, reached) / one.ms - 1 for one in figures])


def fitted(figures: Sequence[Figure]) -> Efficiency:
    """With the smallest sum of squared relative errors. FP32 is taken to reach FP16's share."""
    grids = [_errors_on_the_grid(one) for one in figures]
    squares = np.sum(np.square(grids), axis=0)
    best = np.unravel_index(int(squares.argmin()), squares.shape)
    fp16, int8, bandwidth, floor = (
        float(grid[index])
        for grid, index in zip((FP16, INT8, BANDWIDTH, FLOOR_US_GHZ), best, strict=True)
    )
    return Efficiency({"fp32": fp16, "fp16": fp16, "int8": int8}, bandwidth, floor)


def _errors_on_the_grid(figure: Figure) -> NDArray[np.float64]:
    """(fp16, int8, bandwidth, floor)"""
    board = profile(figure.device)
    kernels = figure.net.kernels(figure.precision)
    only_compute = Efficiency(IDEAL.compute, 1e9, 0)
    only_memory = Efficiency(dict.fromkeys(IDEAL.compute, 1e9), 1, 0)
    compute = np.array([one.us for one in timed(kernels, board, only_compute)])
    memory = np.array([one.us for one in timed(kernels, board, only_memory)])
    is_int8 = np.array([kernel.precision == "int8" for kernel in kernels])
    assert board.gpu_mhz is not None
    floor_us = FLOOR_US_GHZ / (board.gpu_mhz.value / 1e3)
    total = np.empty((len(FP16), len(INT8), len(BANDWIDTH), len(FLOOR_US_GHZ)))
    for (i, fp16), (j, int8) in product(enumerate(FP16), enumerate(INT8)):
        by_compute = compute / np.where(is_int8, int8, fp16)
        by_either = np.maximum(by_compute, memory / BANDWIDTH[:, None])  # (bandwidth, kernels)
        limited = np.maximum(by_either[:, None, :], floor_us[:, None])
        total[i, j] = limited.sum(-1)
    errors_: NDArray[np.float64] = total / 1e3 / figure.ms - 1
    return errors_
