"""What a reader of the figures must know before believing them."""

from collections.abc import Iterator

import msgspec

from stopline.devices.latency.comparable import BUSIER
from stopline.devices.latency.report import CameraRate, Report
from stopline.devices.latency.warm_up import FEWEST
from stopline.runtime.sinks.tally import percentile

WAITED = 0.05


def remarks_on(report: Report) -> Report:
    """The same, with remarks."""
    return msgspec.structs.replace(report, remarks=list(_remarks(report)))


def _remarks(report: Report) -> Iterator[str]:
    yield from _unsteady(report)
    bad = [one for one in report.windows if not one.valid]
    if bad:
        yield (
            f"{len(bad)} of {len(report.windows)} windows are not valid ({bad[0].why}): pin the "
            "clocks with `sudo jetson_clocks` or `sudo cpupower frequency-set -g performance`"
        )
    others = [one.others_share for one in report.windows if one.others_share is not None]
    if others and (mean := sum(others) / len(others)) > BUSIER:
        yield f"other programs used {mean:.0%} of all cores meanwhile"
    waited = [one.waited_share for one in report.windows if one.waited_share is not None]
    if waited and (mean := sum(waited) / len(waited)) > WAITED:
        own = percentile(_own_ms(report), 0.5)
        without = "" if own is None else f"; without it the engine's p50 would be {own:.1f} ms"
        yield f"{mean:.0%} of the time went by waiting for a core that others used{without}"
    if report.scenarios.camera is not None:
        yield from _camera(report.scenarios.camera)
    missing = [name for name, found in report.conditions.sensors.items() if not found]
    if missing:
        yield f"this machine tells nothing of its {', '.join(missing)}"


def _own_ms(report: Report) -> list[float]:
    windows = [one for one in report.windows if one.part == "engine"]
    return [one.own_p50_ms for one in windows if one.own_p50_ms is not None]


def _unsteady(report: Report) -> Iterator[str]:
    parts = {
        "engine": report.engine,
        "multi-stream": report.scenarios.multi_stream,
        "pipeline": report.pipeline,
        "capture_to_result": report.capture_to_result,
    }
    for name, part in parts.items():
        if part is not None and not part.steady:
            few = f"of {part.n} times nobody can tell whether {name} came to rest"
            many = f"{name} never came to rest"
            yield f"{few if part.n < FEWEST else many}: measure for longer with --seconds"


def _camera(rate: CameraRate) -> Iterator[str]:
    if rate.miss_ratio and rate.offered_fps is not None:
        yield (
            f"of {rate.sent} frames at {rate.offered_fps:g} a second {rate.miss_ratio:.1%} were "
            f"not answered within {rate.deadline_ms:.0f} ms"
        )
