"""One profile, part after part, with a watch on the machine all the while."""

import time
from collections.abc import Callable

from stopline import __version__
from stopline.devices.latency.cold_start import cold_start
from stopline.devices.latency.conditions import conditions, memory
from stopline.devices.latency.energy import energy
from stopline.devices.latency.layers import layers_of
from stopline.devices.latency.nvml import gpu_reader
from stopline.devices.latency.overhead import overhead
from stopline.devices.latency.parts import Profile, ProfileSettings, Sources, stages_of, subject_of
from stopline.devices.latency.remarks import remarks_on
from stopline.devices.latency.report import (
    ColdStart,
    Conditions,
    Energy,
    Layers,
    Report,
    Scenarios,
    Sessions,
)
from stopline.devices.latency.sensors import Sensors
from stopline.devices.latency.sessions import sessions
from stopline.devices.latency.watch import Watch
from stopline.runtime.detector import Detector
from stopline.runtime.events import utc_at

IDLE_S = 2.0

Told = Callable[[str], None]


def profile(
    reopen: Callable[[], Detector],
    threads: int | None,
    sources: Sources,
    settings: ProfileSettings,
    told: Told,
) -> Report:
    """Measure all that was asked for, of what `reopen` gives. `told` hears what is being done."""
    zero_ns = time.monotonic_ns()
    gpu = gpu_reader()
    sensors = Sensors(settings.root, gpu=None if gpu is None else gpu[1])
    about = conditions(sensors.read(), None if gpu is None else gpu[0], settings.root)
    with reopen() as detector, Watch(sensors) as watch:
        subject = subject_of(detector, threads, sources.kept)
        one = Profile(detector, subject, sources, settings, watch, zero_ns)
        report = _report(one, about, reopen, told)
    return remarks_on(report)


def _report(one: Profile, about: Conditions, reopen: Callable[[], Detector], told: Told) -> Report:
    """What a struct is made of is measured in that order: memory before a second session opens."""
    wanted = one.settings.scenarios
    idle_ns = _idle(IDLE_S if about.sensors["power"] else 0.0, told)
    told("engine and single-stream")
    engine, single = one.engine()
    told("multi-stream")
    multi = one.multi_stream() if "multi-stream" in wanted else None
    told("pipeline")
    pipeline = one.pipeline()
    told("camera")
    ages, rate, answers = one.camera() if "camera" in wanted else (None, None, [])
    single_stream = single if "single-stream" in wanted else None
    return Report(
        stopline=__version__,
        utc=utc_at(one.zero_ns),
        subject=one.subject,
        engine=engine,
        pipeline=pipeline,
        capture_to_result=ages,
        scenarios=Scenarios(single_stream=single_stream, multi_stream=multi, camera=rate),
        stages=stages_of(answers),
        memory_mib=memory(one.settings.root),
        layers=_layers(one, told),
        conditions=about,
        windows=one.windows,
        sessions=_sessions(one, reopen, told),
        energy=_energy(one, idle_ns),
        cold_start_ms=_cold_start(one, told),
        overhead=overhead(one.watch),
        remarks=[],
    )


def _sessions(one: Profile, reopen: Callable[[], Detector], told: Told) -> Sessions:
    told("new sessions")
    return sessions(reopen, one.sources.kept.images, one.settings.seconds)


def _cold_start(one: Profile, told: Told) -> ColdStart | None:
    told("cold starts")
    return cold_start(one.subject, str(one.detector.bundle.path), one.settings.cold_starts)


def _layers(one: Profile, told: Told) -> Layers | None:
    told("layers")
    if not one.settings.layers:
        return None
    return layers_of(one.detector, one.subject.threads, one.sources.kept.images)


def _idle(seconds: float, told: Told) -> tuple[int, int]:
    told("idle")
    began_ns = time.monotonic_ns()
    time.sleep(seconds)
    return began_ns, time.monotonic_ns()


def _energy(one: Profile, idle_ns: tuple[int, int]) -> Energy | None:
    return None if one.load_ns is None else energy(one.watch, idle_ns, one.load_ns, one.frames)
