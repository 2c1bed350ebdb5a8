"""How much of a board's published peaks a detector reaches: fitted, not published.

`benchmarks/plan_error.py` fits these to the published times of YOLO11 n, s and m on three Orins,
and tests them on what they were not fitted to; docs/boards.md has the errors.
"""

from dataclasses import dataclass
from typing import Literal

from stopline.runtime.manifest import Precision


@dataclass(frozen=True)
class Efficiency:
    """Shares of the dense peaks, and what a kernel takes at least."""

    compute: dict[Precision, float]
    bandwidth: float
    floor_us_ghz: float  # of one kernel: microseconds on a GPU of 1 GHz


# The GPUs it was fitted on. On others it is a guess, and `plan` says so.
FITTED_SM = "8.7"
FITTED = Efficiency(
    compute={"fp32": 0.61, "fp16": 0.61, "int8": 0.30}, bandwidth=0.30, floor_us_ghz=34
)
# The largest error on a board that was left out of the fit, either way: the range that is told.
WORST_LEFT_OUT = 0.22

Bound = Literal["compute", "memory", "floor"]
