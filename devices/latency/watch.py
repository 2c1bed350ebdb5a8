"""A thread that reads the sensors a few times a second while something is measured."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from stopline.devices.latency.sensors import Reading, Sensors
from stopline.runtime.closing import Closing

EVERY_S = 0.25


class Between(NamedTuple):
    """What the readings of a span of time say together."""

    clocks_mhz: dict[str, tuple[float, float]]  # lowest and highest
    temperatures_c: dict[str, float]  # highest
    power_w: dict[str, float]  # mean
    others_s: float | None  # cores' work for other programs
    seconds: float
    throttled: str | None


class Watch(Closing):
    """`with Watch(sensors) as watch:` reads until it is closed."""

    def __init__(self, sensors: Sensors, every_s: float = EVERY_S) -> None:
        self._sensors, self._every_s = sensors, every_s
        self._readings = [sensors.read()]
        self._work_ns = 0
        self._over = threading.Event()
        self._began_ns = time.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            began_ns = time.thread_time_ns()
            self._readings.append(self._sensors.read())
            self._work_ns += time.thread_time_ns() - began_ns

    def close(self) -> None:
        """Read no more."""
        self._over.set()
        self._thread.join(timeout=5)

    @property
    def share(self) -> float:
        """Of one core, that the thread took for itself so far."""
        return self._work_ns / max(1, time.monotonic_ns() - self._began_ns)

    def between(self, start_ns: int, end_ns: int) -> Between:
        """Of that time, with the readings just before and just after it."""
        readings = list(self._readings)
        first = max((i for i, one in enumerate(readings) if one.at_ns <= start_ns), default=0)
        last = min(
            (i for i, one in enumerate(readings) if one.at_ns >= end_ns), default=len(readings) - 1
        )
        return self._summed(readings[first : max(last, first) + 1])

    def _summed(self, readings: Sequence[Reading]) -> Between:
        first, last = readings[0], readings[-1]
        seconds = (last.at_ns - first.at_ns) / 1e9
        clocks = {
            name: _range([one.clocks_mhz[name] for one in readings if name in one.clocks_mhz])
            for name in first.clocks_mhz
        }
        temperatures = {
            name: max(one.temperatures_c[name] for one in readings if name in one.temperatures_c)
            for name in first.temperatures_c
        }
        reasons = dict.fromkeys(one.throttled for one in readings[1:] if one.throttled)
        others_s = None
        if first.busy is not None and last.busy is not None:
            all_s, own_s = (
                after - before for after, before in zip(last.busy, first.busy, strict=True)
            )
            others_s = max(0.0, all_s - own_s)
        power = self._power(readings, seconds)
        return Between(clocks, temperatures, power, others_s, seconds, "; ".join(reasons) or None)

    def _power(self, readings: Sequence[Reading], seconds: float) -> dict[str, float]:
        first, last = readings[0], readings[-1]
        power: dict[str, float] = {}
        for name in first.power_w:
            told = [one.power_w[name] for one in readings if name in one.power_w]
            power[name] = sum(told) / len(told)
        for name, before in first.joules.items():
            after = last.joules.get(name)
            if after is None or not seconds:
                continue
            if after < before:  # it wrapped
                whole = self._sensors.wraps_j(name)
                if whole is None:
                    continue
                after += whole
            power[name] = (after - before) / seconds
        return power


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
