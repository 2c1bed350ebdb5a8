"""The time of each kernel: its arithmetic or its memory, whichever takes longer, or its floor."""

from collections.abc import Sequence
from dataclasses import dataclass

from stopline.devices.planning.efficiency import Bound, Efficiency
from stopline.devices.planning.kernel import Kernel
from stopline.devices.profiles.profile import Arithmetic, Profile
from stopline.runtime.manifest import Precision

IDEAL = Efficiency(compute={"fp32": 1, "fp16": 1, "int8": 1}, bandwidth=1, floor_us_ghz=0)
# In this order. TensorRT computes FP32 in TF32 unless told otherwise. What a board does not
# publish is not invented.
ARITHMETIC: dict[Precision, tuple[Arithmetic, ...]] = {
    "fp32": ("tf32", "fp32"),
    "fp16": ("fp16",),
    "int8": ("int8",),
}
WITHOUT_TENSOR_CORES = ("depthwise", "grouped", "other")


class UnknownPeak(ValueError):
    """A board of which no figure for an arithmetic is published."""


@dataclass(frozen=True)
class Timed:
    """A kernel and what limits it."""

    kernel: Kernel
    us: float
    bound: Bound


def timed(kernels: Sequence[Kernel], board: Profile, reached: Efficiency) -> list[Timed]:
    """Raises UnknownPeak for an arithmetic that the board does not publish."""
    return [_timed(kernel, board, reached) for kernel in kernels]


def total_ms(times: Sequence[Timed]) -> float:
    """One after the other, as one stream runs them."""
    return sum(one.us for one in times) / 1e3


def _timed(kernel: Kernel, board: Profile, reached: Efficiency) -> Timed:
    compute_us = 0.0
    if kernel.macs:
        share = reached.compute[kernel.precision]
        compute_us = 2 * kernel.macs / (_peak_tops(kernel, board) * 1e12 * share) * 1e6
    memory_us = kernel.bytes / (board.bandwidth_gbs.value * 1e9 * reached.bandwidth) * 1e6
    ghz = board.gpu_mhz.value / 1e3 if board.gpu_mhz else None
    floor_us = reached.floor_us_ghz / ghz if ghz else 0.0
    limits: dict[Bound, float] = {"compute": compute_us, "memory": memory_us, "floor": floor_us}
    bound = max(limits, key=lambda limit: limits[limit])
    return Timed(kernel, limits[bound], bound)


def _peak_tops(kernel: Kernel, board: Profile) -> float:
    wanted = ARITHMETIC[kernel.precision]
    found = [board.peak_tops[one].value for one in wanted if one in board.peak_tops]
    if not found:
        raise UnknownPeak(f"no {kernel.precision} peak of {board.name} is published")
    if kernel.kind in WITHOUT_TENSOR_CORES and "fp32" in board.peak_tops:
        return board.peak_tops["fp32"].value
    return found[0]
