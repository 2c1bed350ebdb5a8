"""What a profile was measured on: all that must be the same for two of them to be compared."""

import importlib.metadata
import platform
from pathlib import Path

from stopline.devices.latency.report import Conditions, Memory
from stopline.devices.latency.sensors import Reading, text
from stopline.runtime.backends.backend import usable_cpus
from stopline.runtime.backends.cpu import read_cpu

LIBRARIES = (
    *("numpy", "opencv-python-headless", "opencv-python", "onnxruntime", "onnxruntime-gpu"),
    *("openvino", "tensorrt", "tensorrt-rtx-cu12", "tensorrt-rtx-cu13", "cuda-python"),
)
# Of what a Jetson was last set to by `nvpmodel -m`: "pmode:0002".
NVPMODEL = "var/lib/nvpmodel/status"


def conditions(reading: Reading, gpu: str | None, root: Path = Path("/")) -> Conditions:
    """Of this machine, now."""
    return Conditions(
        machine=platform.machine(),
        board=_board(root),
        cpu=read_cpu(root / "proc/cpuinfo").model or None,
        cpus=usable_cpus(),
        gpu=gpu,
        memory_mib=_memory_mib(root),
        kernel=platform.release(),
        python=platform.python_version(),
        libraries={name: found for name in LIBRARIES if (found := _version(name)) is not None},
        governors=_governors(root),
        power_mode=text(root / NVPMODEL),
        sensors={
            "clocks": sorted(reading.clocks_mhz),
            "temperatures": sorted(reading.temperatures_c),
            "power": sorted([*reading.power_w, *reading.joules]),
        },
    )


def memory(root: Path = Path("/")) -> Memory:
    """Of this process, in MiB."""
    told = text(root / "proc/self/status") or ""
    fields = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    return Memory(rss=_mib(fields.get("VmRSS")), peak=_mib(fields.get("VmHWM")))


def _mib(kib: str | None) -> float | None:
    return None if kib is None else round(int(kib.split()[0]) / 1024, 1)


def _board(root: Path) -> str | None:
    """By its device tree, or as a PC's firmware calls it."""
    return text(root / "proc/device-tree/model") or text(root / "sys/class/dmi/id/product_name")


def _memory_mib(root: Path) -> int | None:
    told = text(root / "proc/meminfo") or ""
    found = [line.split() for line in told.splitlines() if line.startswith("MemTotal:")]
    return int(found[0][1]) >> 10 if found else None


def _governors(root: Path) -> list[str]:
    """Of all cores, each kind once; a GPU's beside its name."""
    cores = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    others = root.glob("sys/class/devfreq/*/governor")
    found = {told for path in cores if (told := text(path))}
    found |= {f"{path.parent.name}: {told}" for path in others if (told := text(path))}
    return sorted(found)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
