"""Reports as `stopline profile` makes them, without measuring anything."""

from typing import Any

from stopline.devices.latency.figures import figures
from stopline.devices.latency.report import (
    CameraRate,
    Conditions,
    Measured,
    Memory,
    Overhead,
    Report,
    Scenarios,
    Sessions,
    Subject,
    Throughput,
    Window,
)

SUBJECT = Subject(
    bundle="road-nano",
    precision="fp32",
    backend="onnxruntime",
    threads=1,
    model_sha256="0" * 64,
    input_wh=(640, 384),
    batch=1,
    source="sim://road",
    frame_wh=(1280, 720),
)
CONDITIONS = Conditions(
    machine="aarch64",
    board="a board",
    cpu="a CPU",
    cpus=6,
    gpu=None,
    memory_mib=8000,
    kernel="5.15",
    python="3.10",
    libraries={"onnxruntime": "1.20.0", "numpy": "1.26.4"},
    governors=["performance"],
    power_mode="pmode:0002",
    sensors={"clocks": ["cpu0"], "temperatures": ["cpu-thermal"], "power": []},
)
CAMERA = CameraRate(
    offered_fps=30,
    answered_fps=20,
    sent=300,
    answered=200,
    dropped=100,
    late=10,
    deadline_ms=33.3,
    enforced=False,
    miss_ratio=0.37,
    most_age_ms=61.0,
    age_growth_ms=0.2,
    replayed=True,
)


def measured(times_ms: list[float]) -> Measured:
    return Measured(warm_up=0, steady=True, left_out=0, samples_ms=times_ms, **figures_of(times_ms))


def figures_of(times_ms: list[float]) -> dict[str, Any]:
    of = figures(times_ms)
    return {name: getattr(of, name) for name in of.__struct_fields__}


def window(at_s: int, p50_ms: float, **about: Any) -> Window:
    told: dict[str, Any] = {
        "part": "engine",
        "start_s": float(at_s),
        "end_s": at_s + 1.0,
        "n": 30,
        "p50_ms": p50_ms,
        "own_p50_ms": p50_ms,
        "waited_share": 0.0,
        "others_share": 0.02,
        "clocks_mhz": {"cpu0": 1510.4},
        "temperatures_c": {"cpu-thermal": 50.0},
        "power_w": {},
        "throttled": None,
        "valid": True,
        "why": None,
    }
    return Window(**told | about)


def sessions(p50_ms: float) -> list[float]:
    return [p50_ms + nth % 3 / 20 for nth in range(24)]


def report(**about: Any) -> Report:
    times = [25.0 + (nth * 37 % 100) / 50 for nth in range(400)]
    told: dict[str, Any] = {
        "stopline": "0",
        "utc": "2026-11-24T12:00:00.000Z",
        "subject": SUBJECT,
        "engine": measured(times),
        "pipeline": Throughput(
            fps=37.0,
            decodes=False,
            warm_up=0,
            steady=True,
            left_out=0,
            samples_ms=times,
            **figures_of(times),
        ),
        "capture_to_result": measured([ms + 10 for ms in times]),
        "scenarios": Scenarios(camera=CAMERA),
        "stages": {"engine": figures(times), "nms": figures([0.5] * 400)},
        "layers": None,
        "conditions": CONDITIONS,
        "windows": [window(at, 25.0 + at % 3 / 10) for at in range(40)],
        "sessions": Sessions(runs=320, minus_waiting=True, p50_ms=sessions(25.0)),
        "energy": None,
        "memory_mib": Memory(rss=200.0, peak=220.0),
        "cold_start_ms": None,
        "overhead": Overhead(per_run_us=9.0, watch_share=0.001),
        "remarks": [],
    }
    return Report(**told | about)
