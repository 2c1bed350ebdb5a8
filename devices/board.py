"""What this board is and has, each part None where it cannot be told."""

import importlib.metadata
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from stopline.devices.engines.memory import available_mib
from stopline.runtime.backends.backend import BackendError
from stopline.runtime.backends.cuda import Gpu, first_gpu
from stopline.runtime.backends.onnxruntime_backend import CPU
from stopline.runtime.backends.onnxruntime_gpu import CUDA, TENSORRT, provider_failure
from stopline.runtime.backends.tensorrt_library import Library, library_of, tensorrt_module

Fact = TypeVar("Fact", Gpu, Library)
LIBRARIES = ("onnxruntime", "onnxruntime-gpu", "openvino", "cuda-python", "cuda-bindings")
PROVIDERS = (CUDA, TENSORRT, CPU)


@dataclass(frozen=True)
class Board:
    """Facts that decide which backend can run. `no_…` says why something is None."""

    machine: str  # "aarch64"
    model: str | None = None  # "NVIDIA Jetson Orin Nano …", of a board with a device tree
    l4t: str | None = None  # of Jetson's Linux, "36.4.0"
    memory_mib: int | None = None  # available to programs
    gpu: Gpu | None = None
    no_gpu: str | None = None
    driver: str | None = None  # of NVIDIA's driver, as nvidia-smi tells
    tensorrt: Library | None = None
    no_tensorrt: str | None = None
    dla_cores: int | None = None
    versions: dict[str, str] = field(default_factory=dict)  # of libraries, where installed
    providers: dict[str, str | None] = field(default_factory=dict)  # ONNX Runtime's → what fails


def this_board(root: Path = Path("/")) -> Board:
    """Ask everything that can be asked; a part that fails is None, and takes nothing with it."""
    gpu, no_gpu = _told(first_gpu)
    library, no_tensorrt = _told(lambda: library_of(tensorrt_module()))
    return Board(
        machine=platform.machine(),
        model=_text(root / "proc/device-tree/model"),
        l4t=_l4t(root),
        memory_mib=available_mib(root / "proc/meminfo"),
        gpu=gpu,
        no_gpu=no_gpu,
        driver=_driver(),
        tensorrt=library,
        no_tensorrt=no_tensorrt,
        dla_cores=_dla_cores(root),
        versions=_versions(),
        providers={name: provider_failure(name) for name in PROVIDERS},
    )


def _told(ask: Callable[[], Fact]) -> tuple[Fact | None, str | None]:
    try:
        return ask(), None
    except BackendError as error:
        return None, str(error)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def _l4t(root: Path) -> str | None:
    """`# R36 (release), REVISION: 4.0, …`"""
    told = _text(root / "etc/nv_tegra_release")
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", told or "")
    return f"{found[1]}.{found[2]}" if found else None


def _driver() -> str | None:
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return None
    asked = [smi, "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _dla_cores(root: Path) -> int | None:
    """As Jetson's device tree counts them; TensorRT would start CUDA to tell."""
    tree = root / "proc/device-tree"
    if not tree.is_dir():
        return None
    return sum(1 for _ in tree.glob("**/nvdla*@*"))


def _versions() -> dict[str, str]:
    found = {name: _version(name) for name in LIBRARIES}
    return {name: version for name, version in found.items() if version is not None}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
