"""What a machine tells of its clocks, temperatures and power while one measures.

What there is to read is found once; `root` is `/`, or a copy of a board's. Sources: Linux'
Documentation/admin-guide/pm/cpufreq.rst, driver-api/devfreq.rst, hwmon/sysfs-interface.rst and
power/powercap/powercap.rst; NVIDIA's Jetson Linux Developer Guide for the rails of the INA3221
and the rate of the memory controller (EMC), which only root may read.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.governor.heat import Heat

EMC = ("sys/kernel/debug/bpmp/debug/clk/emc/rate", "sys/kernel/debug/clk/emc/clk_rate")
# Rails that hold all others; where a board has none of them, its rails are added up.
TOTALS = ("VDD_IN", "POM_5V_IN", "psys")
PARTS = ("core", "uncore")  # of a RAPL package, counted in it


class Reading(NamedTuple):
    """At one moment. What cannot be read now is missing."""

    at_ns: int
    clocks_mhz: dict[str, float]
    temperatures_c: dict[str, float]
    power_w: dict[str, float]
    joules: dict[str, float]  # counters
    busy: tuple[float, float] | None  # all cores' and this process' seconds of work so far
    throttled: str | None


class _Power(NamedTuple):
    name: str
    volts: Path | None  # mV; None: `amps` is µW of power already
    amps: Path  # mA


class Gpu(NamedTuple):
    """What NVML tells, or nothing."""

    clocks_mhz: dict[str, float]
    temperatures_c: dict[str, float]
    power_w: dict[str, float]
    throttled: str | None


class Sensors:
    """`sensors.read()` → Reading."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Clock = time.monotonic_ns,
        gpu: Callable[[], Gpu] | None = None,
    ) -> None:
        self._root, self._clock, self._gpu = root, clock, gpu
        self._heat = Heat(root / "sys")
        self._clocks = dict(_clocks(root))
        self._zones = dict(_zones(root))
        self._rails = list(_rails(root))
        self._counters = dict(_rapl(root))

    def read(self) -> Reading:
        """All that can be read now."""
        told = self._gpu() if self._gpu is not None else Gpu({}, {}, {}, None)
        clocks = {
            name: value / of
            for name, (path, of) in self._clocks.items()
            if (value := number(path)) is not None
        }
        temperatures = {
            name: value / 1000
            for name, path in self._zones.items()
            if (value := number(path)) is not None
        }
        rails = {rail.name: watts for rail in self._rails if (watts := _watts(rail)) is not None}
        joules = {
            name: value / 1e6
            for name, path in self._counters.items()
            if (value := number(path)) is not None
        }
        reasons = [one for one in (self._heat(), told.throttled) if one]
        return Reading(
            self._clock(),
            clocks | told.clocks_mhz,
            temperatures | told.temperatures_c,
            rails | told.power_w,
            joules,
            busy(self._root),
            "; ".join(reasons) or None,
        )

    def wraps_j(self, name: str) -> float | None:
        """Where that counter starts again at 0."""
        path = self._counters.get(name)
        most = None if path is None else number(path.with_name("max_energy_range_uj"))
        return None if most is None else most / 1e6


def total_w(power_w: dict[str, float]) -> float | None:
    """Of the machine, as far as its sensors reach; None without any."""
    for name in TOTALS:
        if name in power_w:
            return power_w[name]
    apart = [watts for name, watts in power_w.items() if name not in PARTS]
    return sum(apart) if apart else None


def busy(root: Path) -> tuple[float, float] | None:
    """Seconds of work of all cores, and of this process."""
    told = text(root / "proc/stat")
    if told is None:
        return None
    words = told.split("\n", 1)[0].split()[1:9]
    if len(words) < 8 or not all(word.isdecimal() for word in words):
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, words)
    return (user + nice + system + irq + softirq + steal) / 100, time.process_time()


def text(path: Path) -> str | None:
    """None of what is not there, or cannot be read now."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def number(path: Path) -> float | None:
    """None of what is no number too."""
    told = text(path)
    return float(told) if told is not None and re.fullmatch(r"-?\d+", told) else None


def _clocks(root: Path) -> Iterator[tuple[str, tuple[Path, float]]]:
    """Name → file, and its units in a MHz."""
    for path in sorted(root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")):
        yield path.parent.parent.name, (path, 1e3)
    for path in sorted(root.glob("sys/class/devfreq/*/cur_freq")):
        yield path.parent.name, (path, 1e6)
    for name in EMC:
        if number(root / name) is not None:
            yield "emc", (root / name, 1e6)
            return


def _zones(root: Path) -> Iterator[tuple[str, Path]]:
    for zone in sorted(root.glob("sys/class/thermal/thermal_zone*")):
        if number(zone / "temp") is not None:
            yield text(zone / "type") or zone.name, zone / "temp"


def _rails(root: Path) -> Iterator[_Power]:
    for monitor in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if text(monitor / "name") in ("ina3221", "ina3221x"):
            for label in sorted(monitor.glob("in[0-9]_label")):
                nth = label.name.removesuffix("_label").removeprefix("in")
                volts, amps = monitor / f"in{nth}_input", monitor / f"curr{nth}_input"
                if (name := text(label)) and number(volts) is not None:
                    yield _Power(name, volts, amps)


def _watts(rail: _Power) -> float | None:
    volts = 1e3 if rail.volts is None else number(rail.volts)
    amps = number(rail.amps)
    return None if volts is None or amps is None else volts * amps / 1e6


def _rapl(root: Path) -> Iterator[tuple[str, Path]]:
    """Only what may be read: since CVE-2020-8694 the counters are root's on most systems."""
    for zone in sorted(root.glob("sys/class/powercap/intel-rapl:*")):
        if number(zone / "energy_uj") is not None and (name := text(zone / "name")):
            yield name, zone / "energy_uj"
