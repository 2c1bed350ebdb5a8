"""Stretches of about a second, each with its conditions, and whether its times can be used."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stopline.devices.latency.figures import figures
from stopline.devices.latency.report import Measured, Window
from stopline.devices.latency.warm_up import warm_up
from stopline.devices.latency.watch import Between, Watch
from stopline.runtime.sinks.tally import percentile

LENGTH_NS = 1_000_000_000
MOVED = 0.02  # a clock that moves by more makes a window invalid


class Time(NamedTuple):
    """One measurement of a part."""

    ended_ns: int
    ms: float
    own_ms: float | None = None  # without waiting for a core
    waited_ms: float | None = None


def windows(part: str, times: Sequence[Time], watch: Watch, zero_ns: int) -> list[Window]:
    """Of about a second each; `zero_ns` is when the profile began."""
    return [_window(part, some, watch, zero_ns) for some in _stretches(times)]


def measured(times: Sequence[Time], seen: Sequence[Window], zero_ns: int) -> Measured:
    """The figures, without the warm-up and without windows that are not valid."""
    settled = warm_up([one.ms for one in times])
    start = settled or 0
    after = times[start:]
    valid = [one for one in after if _is_valid(one, seen, zero_ns)]
    used = valid if 2 * len(valid) >= len(after) else after
    of = figures([one.ms for one in used])
    return Measured(
        warm_up=start,
        steady=settled is not None,
        left_out=len(after) - len(used),
        samples_ms=[round(one.ms, 3) for one in used],
        **{name: getattr(of, name) for name in of.__struct_fields__},
    )


def _stretches(times: Sequence[Time]) -> Iterator[Sequence[Time]]:
    start = 0
    for at, one in enumerate(times):
        first_ns = times[start].ended_ns - times[start].ms * 1e6
        if one.ended_ns - first_ns >= LENGTH_NS or at == len(times) - 1:
            yield times[start : at + 1]
            start = at + 1


def _window(part: str, times: Sequence[Time], watch: Watch, zero_ns: int) -> Window:
    start_ns = round(times[0].ended_ns - times[0].ms * 1e6)
    end_ns = times[-1].ended_ns
    seen = watch.between(start_ns, end_ns)
    why = _why_not(seen)
    own = [one.own_ms for one in times if one.own_ms is not None]
    return Window(
        part=part,
        start_s=(start_ns - zero_ns) / 1e9,
        end_s=(end_ns - zero_ns) / 1e9,
        n=len(times),
        p50_ms=percentile([one.ms for one in times], 0.5),
        own_p50_ms=percentile(own, 0.5),
        waited_share=_waited_share(times, (end_ns - start_ns) / 1e6),
        others_share=_others_share(seen),
        clocks_mhz={name: float(np.mean(ends)) for name, ends in seen.clocks_mhz.items()},
        temperatures_c=seen.temperatures_c,
        power_w=seen.power_w,
        throttled=seen.throttled,
        valid=why is None,
        why=why,
    )


def _why_not(seen: Between) -> str | None:
    for name, (low, high) in seen.clocks_mhz.items():
        if high > low * (1 + MOVED):
            return f"clock of {name} moved from {low:.0f} to {high:.0f} MHz"
    return None if seen.throttled is None else f"throttled: {seen.throttled}"


def _waited_share(times: Sequence[Time], lasted_ms: float) -> float | None:
    told = [one.waited_ms for one in times if one.waited_ms is not None]
    return sum(told) / lasted_ms if told and lasted_ms > 0 else None


def _others_share(seen: Between) -> float | None:
    if seen.others_s is None or not seen.seconds:
        return None
    return min(1.0, seen.others_s / seen.seconds / (os.cpu_count() or 1))


def _is_valid(time: Time, seen: Sequence[Window], zero_ns: int) -> bool:
    at_s = (time.ended_ns - zero_ns) / 1e9
    return all(one.valid for one in seen if one.start_s < at_s <= one.end_s)
