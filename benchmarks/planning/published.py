"""Times that others measured and published, in milliseconds for one image at 640x640."""

from dataclasses import dataclass

from planning.shapes import Net
from planning.yolo11 import yolo11
from planning.yolox import yolox_s

from stopline.runtime.manifest import Precision

# Ultralytics' documentation, guides/nvidia-jetson.md, TensorRT rows, read 2026-11-24 (8.3.51; AGX
# Orin as quoted in this project's issue). Batch 1; the power mode is not stated there.
YOLO11: dict[tuple[str, str], dict[Precision, float]] = {
    ("orin-nano-super", "n"): {"fp32": 7.60, "fp16": 4.91, "int8": 3.91},
    ("orin-nano-super", "s"): {"fp32": 13.29, "fp16": 7.30, "int8": 5.25},
    ("orin-nano-super", "m"): {"fp32": 28.21, "fp16": 13.99, "int8": 9.58},
    ("orin-nx-16", "n"): {"fp32": 8.05, "fp16": 4.85, "int8": 4.37},
    ("orin-nx-16", "s"): {"fp32": 14.13, "fp16": 7.55, "int8": 5.63},
    ("orin-nx-16", "m"): {"fp32": 30.72, "fp16": 14.45, "int8": 10.19},
    ("agx-orin-64", "n"): {"fp16": 2.60, "int8": 2.45},
    ("agx-orin-64", "s"): {"fp16": 3.68, "int8": 3.01},
    ("agx-orin-64", "m"): {"fp16": 6.79, "int8": 5.12},
}
# github.com/Idein/aicast_jetson_benchmark, trtexec, YOLOX-S with Leaky ReLU, read 2026-11-24:
# Orin Nano with JetPack 5.1.2, Jetson Nano with JetPack 4.6.1; the power mode is not stated there.
YOLOX_S: dict[str, dict[Precision, float]] = {
    "orin-nano": {"fp32": 20.9, "fp16": 10.7, "int8": 8.6},
    "jetson-nano": {"fp32": 153.3, "fp16": 93.7},
}
FITTED_ON: tuple[Precision, ...] = ("fp16", "int8")


@dataclass(frozen=True)
class Figure:
    """One published time."""

    device: str
    model: str
    precision: Precision
    ms: float
    net: Net


def yolo11_figures(precisions: tuple[Precision, ...]) -> list[Figure]:
    """All that are published of them."""
    nets = {size: yolo11(size) for size in ("n", "s", "m")}
    return [
        Figure(device, f"YOLO11{size}", precision, ms, nets[size])
        for (device, size), times in YOLO11.items()
        for precision, ms in times.items()
        if precision in precisions
    ]


def yolox_figures() -> list[Figure]:
    """Another family, on boards that nothing was fitted on."""
    net = yolox_s()
    return [
        Figure(device, "YOLOX-S", precision, ms, net)
        for device, times in YOLOX_S.items()
        for precision, ms in times.items()
    ]
