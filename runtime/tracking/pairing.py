"""Which prediction belongs to which detection."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def best_pairs(likeness: NDArray[np.float64], least: float) -> tuple[Rows, Rows]:
    """Rows and columns of (m, n) that go together, the most alike first, each at most once.

    Greedy on purpose: where it differs from the assignment of the largest sum, it prefers one
    certain pair to two doubtful ones.
    """
    rows, columns = np.nonzero(likeness >= least)
    order = np.argsort(-likeness[rows, columns], kind="stable")
    column_of: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in column_of and column not in taken:
            column_of[row] = column
            taken.add(column)
    return np.array([*column_of], np.int64), np.array([*column_of.values()], np.int64)
