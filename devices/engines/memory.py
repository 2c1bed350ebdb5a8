"""What is free, to be told to TensorRT and to whoever reads of a build that was killed."""

from pathlib import Path

from stopline.runtime.backends.backend import BackendError
from stopline.runtime.backends.cuda import first_gpu

MEMINFO = Path("/proc/meminfo")


def available_mib(meminfo: Path = MEMINFO) -> int | None:
    """What programs could still take of the machine's memory, or None where it is not told."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    told = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(told[0][1]) >> 10 if told else None


def workspace_mib(wanted: int | None) -> int | None:
    """Half of what is free on the GPU, unless said otherwise; of the machine's, without a GPU.

    On a board the GPU's memory is everybody's: TensorRT left alone counts on all of it.
    """
    if wanted is not None:
        return wanted
    try:
        free = first_gpu().free_mib
    except BackendError:
        free = available_mib() or 0
    return free // 2 or None
