"""Whether two profiles were measured in the same conditions, and what they say together."""

from collections.abc import Iterator, Sequence

from stopline.devices.latency.comparison import Comparison, compare_runs
from stopline.devices.latency.report import Report, Window

SAME = ("machine", "board", "cpu", "cpus", "gpu", "governors", "power_mode", "libraries")
BUSIER = 0.10  # of all cores, used by other programs
CLOCKS = 0.02
HOTTER_C = 10.0


def differences(a: Report, b: Report) -> list[str]:
    """Between the conditions of both; empty if they can be compared."""
    return list(_differences(a, b))


def compared(a: Report, b: Report) -> Comparison:
    """Of the engine: B against A, by the new sessions that were opened for it in each."""
    return compare_runs(*([] if one.sessions is None else one.sessions.p50_ms for one in (a, b)))


def _differences(a: Report, b: Report) -> Iterator[str]:
    for name in SAME:
        before, after = getattr(a.conditions, name), getattr(b.conditions, name)
        if before != after:
            yield f"{name}: {_named(before, after)} against {_named(after, before)}"
    if a.subject.threads != b.subject.threads:
        yield f"threads: {a.subject.threads} against {b.subject.threads}"
    yield from _moved(a, b)
    for report, name in ((a, "A"), (b, "B")):
        windows = [one for one in report.windows if one.part == "engine"]
        if 2 * len(_usable(report)) < len(windows):
            yield f"{name}: {len(windows) - len(_usable(report))} of {len(windows)} windows invalid"


def _moved(a: Report, b: Report) -> Iterator[str]:
    """What the sensors said meanwhile."""
    before, after = (_mean_others(report) for report in (a, b))
    if before is not None and after is not None and abs(after - before) > BUSIER:
        yield f"used by other programs: {before:.0%} against {after:.0%} of all cores"
    for name, mhz in _mean_clocks(a).items():
        other = _mean_clocks(b).get(name)
        if other is not None and abs(other - mhz) > CLOCKS * mhz:
            yield f"clock of {name}: {mhz:.0f} against {other:.0f} MHz"
    for name, celsius in _highest(a).items():
        other = _highest(b).get(name)
        if other is not None and abs(other - celsius) > HOTTER_C:
            yield f"{name}: {celsius:.0f} against {other:.0f} °C"


def _named(value: object, other: object) -> str:
    """Of libraries, only those that differ."""
    if isinstance(value, dict) and isinstance(other, dict):
        apart = {key: found for key, found in value.items() if other.get(key) != found}
        return ", ".join(f"{key} {found}" for key, found in apart.items()) or "none of that"
    return "unknown" if value is None else str(value)


def _usable(report: Report) -> Sequence[Window]:
    return [one for one in report.windows if one.part == "engine" and one.valid and one.p50_ms]


def _mean_others(report: Report) -> float | None:
    told = [one.others_share for one in report.windows if one.part == "engine"]
    known = [one for one in told if one is not None]
    return sum(known) / len(known) if known else None


def _mean_clocks(report: Report) -> dict[str, float]:
    windows = [one.clocks_mhz for one in report.windows if one.part == "engine"]
    names = windows[0] if windows else {}
    known = {name: [one[name] for one in windows if name in one] for name in names}
    return {name: sum(told) / len(told) for name, told in known.items()}


def _highest(report: Report) -> dict[str, float]:
    windows = [one.temperatures_c for one in report.windows if one.part == "engine"]
    names = windows[0] if windows else {}
    return {name: max(one[name] for one in windows if name in one) for name in names}
