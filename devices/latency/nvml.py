"""Clocks, temperature, power and throttling of an NVIDIA GPU, where `nvidia-ml-py` is installed.

A Jetson's GPU has no NVML worth the name: there sysfs tells. Not run on a GPU yet; the names are
of NVIDIA's NVML API reference.
"""

from collections.abc import Callable
from typing import Any

from stopline.devices.latency.sensors import Gpu

HARMLESS = 0x1 | 0x2  # idle, and clocks that the user set


def gpu_reader() -> tuple[str, Callable[[], Gpu]] | None:
    """The name of the first GPU and what reads it; None without one, its driver or the library."""
    try:
        import pynvml  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByIndex(0)
        name = pynvml.nvmlDeviceGetName(device)
    except pynvml.NVMLError:
        return None
    return str(name), lambda: _read(pynvml, device)


def _read(nvml: Any, device: Any) -> Gpu:
    def asked(question: Callable[..., Any], *about: Any) -> float | None:
        try:
            return float(question(device, *about))
        except nvml.NVMLError:
            return None

    clocks = {
        "gpu": asked(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM),
        "gpu memory": asked(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_MEM),
    }
    celsius = asked(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU)
    milliwatts = asked(nvml.nvmlDeviceGetPowerUsage)
    reasons = asked(nvml.nvmlDeviceGetCurrentClocksThrottleReasons)
    slowed = int(reasons or 0) & ~HARMLESS
    return Gpu(
        {name: mhz for name, mhz in clocks.items() if mhz is not None},
        {} if celsius is None else {"gpu": celsius},
        {} if milliwatts is None else {"gpu": milliwatts / 1000},
        f"NVML throttle reasons {slowed:#x}" if slowed else None,
    )
