"""Whether the board slows itself down, as Linux tells it; what it has no sensor for is not told.

Sources: Documentation/driver-api/thermal/sysfs-api.rst for zones and cooling devices,
admin-guide/thermal/intel_thermal_throttle.rst for the counters of a core, and NVIDIA's Jetson Linux
Developer Guide ("Platform Power and Performance") for `…-throttle-alert` and the over-current
events that slow an Orin or Thor down.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Of cooling devices, those that take speed from the CPU or GPU. A fan in use, a dimmed screen or
# the offset of a threshold ("TCC Offset") is no throttling.
SLOWS = ("processor", "cpufreq", "cpuidle", "thermal-idle", "powerclamp", "devfreq", "gpu")
ALERT = "throttle-alert"  # of a Jetson: cpu-, gpu-, cv0-, soc0-…
LIMITS = ("passive", "hot", "critical")  # an "active" trip point starts a fan


class _Trip(NamedTuple):
    kind: str
    at_mc: int  # thousandths of a degree


class _Zone(NamedTuple):
    path: Path
    name: str
    trips: tuple[_Trip, ...]


class _Counter(NamedTuple):
    path: Path
    name: str


class Heat:
    """`heat()` → why the board is throttled, or None: nothing says that it is.

    What there is to read is found once; `root` is `/sys`, or a copy of it.
    """

    def __init__(self, root: Path = Path("/sys")) -> None:
        thermal = root / "class/thermal"
        self._zones = [zone for path in _each(thermal, "thermal_zone*") if (zone := _zone(path))]
        self._cooling = [
            (path / "cur_state", kind)
            for path in _each(thermal, "cooling_device*")
            if (kind := _text(path / "type")) is not None and _slows(kind)
        ]
        self._counters = [*_core_counters(root), *_over_current_counters(root)]
        self._counts = self._read_counters()

    @property
    def sensors(self) -> int:
        """How many things it looks at; with 0 nothing will ever be told."""
        return len(self._zones) + len(self._cooling) + len(self._counters)

    def __call__(self) -> str | None:
        """Read all of it."""
        reasons = [*self._alerts(), *self._over_limits(), *self._counted()]
        return "; ".join(reasons) or None

    def _alerts(self) -> Iterator[str]:
        """The highest state of each kind: for eight slow cores one line is enough."""
        highest: dict[str, int] = {}
        for path, kind in self._cooling:
            state = _number(path)
            if state is not None and state > 0:  # -1 is a powerclamp at rest
                highest[kind] = max(state, highest.get(kind, 0))
        for kind, state in highest.items():
            yield f"{kind} at state {state}"

    def _over_limits(self) -> Iterator[str]:
        for zone in self._zones:
            at_mc = _number(zone.path / "temp")
            passed = [trip for trip in zone.trips if at_mc is not None and at_mc >= trip.at_mc]
            if at_mc is not None and passed:
                trip = max(passed, key=lambda trip: trip.at_mc)
                limit = f"its {trip.kind} limit of {trip.at_mc / 1000:.0f} °C"
                yield f"{zone.name} at {at_mc / 1000:.1f} °C, {limit}"

    def _counted(self) -> Iterator[str]:
        before, self._counts = self._counts, self._read_counters()
        more: dict[str, int] = {}
        for counter, count in self._counts.items():
            times = count - before.get(counter, count)
            if times > 0:
                more[counter.name] = max(times, more.get(counter.name, 0))
        for name, times in more.items():
            yield f"{name} {times} times since last asked"

    def _read_counters(self) -> dict[_Counter, int]:
        read = {counter: _number(counter.path) for counter in self._counters}
        return {counter: count for counter, count in read.items() if count is not None}


def _zone(path: Path) -> _Zone | None:
    """None of one that has no limit to compare with, or whose limits nobody watches."""
    if _text(path / "mode") == "disabled":
        return None
    trips = []
    for kind_path in sorted(path.glob("trip_point_*_type")):
        kind = _text(kind_path)
        at_mc = _number(kind_path.with_name(kind_path.name.replace("_type", "_temp")))
        # Not set is 0 or less: an x86 package's "passive" trip points are for who wants a notice.
        if kind in LIMITS and at_mc is not None and at_mc > 0:
            trips.append(_Trip(kind, at_mc))
    return _Zone(path, _text(path / "type") or path.name, tuple(trips)) if trips else None


def _slows(kind: str) -> bool:
    low = kind.lower()
    return low.endswith(ALERT) or any(word in low for word in SLOWS)


def _core_counters(root: Path) -> Iterator[_Counter]:
    for cpu in _each(root / "devices/system/cpu", "cpu[0-9]*"):
        for name, told in (("core", "a core"), ("package", "the CPU")):
            path = cpu / f"thermal_throttle/{name}_throttle_count"
            if _number(path) is not None:
                yield _Counter(path, f"{told} slowed down for its temperature")


def _over_current_counters(root: Path) -> Iterator[_Counter]:
    for monitor in _each(root / "class/hwmon", "hwmon*"):
        if _text(monitor / "name") != "soctherm_oc":
            continue
        for path in _each(monitor, "oc*_event_cnt"):
            nth = path.name.removesuffix("_event_cnt")
            if _number(monitor / f"{nth}_throt_en") == 1:
                yield _Counter(path, f"slowed down for its supply ({nth.upper()})")


def _each(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def _text(path: Path) -> str | None:
    """None of what is not there or cannot be read now: a sensor may be asleep."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = _text(path)
    if text is None or not text.lstrip("-").isdecimal():
        return None
    return int(text)
