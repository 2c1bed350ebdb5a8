"""What a variant would take on a board: an estimate, its range, and what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

from stopline.devices.planning.efficiency import FITTED, FITTED_SM, WORST_LEFT_OUT, Bound
from stopline.devices.planning.kernel import Kernel
from stopline.devices.planning.roofline import IDEAL, Timed, timed, total_ms
from stopline.devices.preflight import LEAST_GPU_MIB
from stopline.devices.profiles.profile import Profile

# What a program may count on of the memory that the system, the camera and the screen share.
SHARE_OF_SHARED = 0.5
BOUNDS: tuple[Bound, ...] = ("compute", "memory", "floor")


@dataclass(frozen=True)
class Memory:
    """In MiB. `needed` is a rule of thumb: weights, the largest activations, and CUDA itself."""

    needed: float
    available: float

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.needed <= self.available


@dataclass(frozen=True)
class Prediction:
    """Of one image through one engine: no capture, no letterbox, no NMS.

    `ms` is None where nothing like the board was fitted: then only `at_peaks_ms` is told, as if
    every kernel reached the published peaks and nothing stayed in a cache. `range_ms` is None where
    the board is another than those of the fit.
    """

    at_peaks_ms: float
    ms: float | None
    range_ms: tuple[float, float] | None
    macs: int
    bytes: int
    memory: Memory
    layers: tuple[Timed, ...]  # with the fitted efficiency, or at the peaks where `ms` is None

    def share(self, bound: Bound) -> float:
        """Of the time, what goes to kernels that are limited by it."""
        whole = sum(one.us for one in self.layers)
        part = sum(one.us for one in self.layers if one.bound == bound)
        return part / whole if whole else 0.0


def predicted(kernels: Sequence[Kernel], board: Profile) -> Prediction:
    """Raises UnknownPeak for an arithmetic that the board does not publish."""
    ideal = timed(kernels, board, IDEAL)
    like = board.gpu_mhz is not None
    layers = timed(kernels, board, FITTED) if like else ideal
    ms = total_ms(layers) if like else None
    fitted = board.sm is not None and board.sm.value == FITTED_SM
    return Prediction(
        at_peaks_ms=total_ms(ideal),
        ms=ms,
        range_ms=_range(ms) if ms is not None and fitted else None,
        macs=sum(kernel.macs for kernel in kernels),
        bytes=sum(kernel.bytes for kernel in kernels),
        memory=_memory(kernels, board),
        layers=tuple(layers),
    )


def _range(ms: float) -> tuple[float, float]:
    """An error of 22 % means that the truth was the estimate / 1.22, or / 0.78."""
    return ms / (1 + WORST_LEFT_OUT), ms / (1 - WORST_LEFT_OUT)


def _memory(kernels: Sequence[Kernel], board: Profile) -> Memory:
    weights = sum(kernel.weight_bytes for kernel in kernels)
    largest = max((kernel.activation_bytes for kernel in kernels), default=0)
    share = SHARE_OF_SHARED if board.shares_memory else 1.0
    needed = (weights + 2 * largest) / (1 << 20) + LEAST_GPU_MIB
    return Memory(needed, board.memory_gib.value * 1024 * share)
