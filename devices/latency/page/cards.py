"""The three numbers, side by side and never in one line; and what else it costs."""

from collections.abc import Iterator
from html import escape

from stopline.devices.latency.report import Report

UNKNOWN = "&ndash;"


def cards(report: Report) -> str:
    """The three numbers above, scenarios and costs below."""
    three = "".join((_engine(report), _pipeline(report), _capture(report)))
    costs = "".join(_costs(report))
    below = f'<div class=cards style="margin-top:16px">{costs}</div>' if costs else ""
    return f"<div class=cards>{three}</div>{below}"


def _card(kind: str, name: str, big: str, about: str, rest: str) -> str:
    return (
        f'<div class="card {kind}"><div class=what>{escape(name)}</div>'
        f"<div class=big>{big}</div><div class=about>{escape(about)}</div>"
        f"<div class=rest>{escape(rest)}</div></div>"
    )


def _engine(report: Report) -> str:
    engine = report.engine
    p50 = None if engine is None else engine.p50_ms
    single = report.scenarios.single_stream
    rest = "" if single is None else f"SingleStream p90 {_ms(single.p90_ms)}"
    return _card("one", "engine", _big(p50, "ms p50"), "the model alone, frame after frame", rest)


def _pipeline(report: Report) -> str:
    pipeline = report.pipeline
    fps = None if pipeline is None else pipeline.fps
    multi = report.scenarios.multi_stream
    rest = "" if multi is None else f"MultiStream ({multi.streams}) p99 {_ms(multi.p99_ms)}"
    return _card(
        "two", "pipeline", _big(fps, "frames a second"), "if every frame waits ready for us", rest
    )


def _capture(report: Report) -> str:
    ages, camera = report.capture_to_result, report.scenarios.camera
    p50 = None if ages is None else ages.p50_ms
    rest = ""
    if camera is not None and camera.miss_ratio is not None:
        rest = (
            f"p99 {_ms(None if ages is None else ages.p99_ms)}; {camera.miss_ratio:.1%} of "
            f"{camera.sent} frames missed {camera.deadline_ms:.0f} ms"
        )
    offered = None if camera is None else camera.offered_fps
    rate = "a camera that does not wait" if offered is None else f"a camera at {offered:g} a second"
    about = f"age of an answer when it is there: {rate}"
    return _card("three", "capture_to_result", _big(p50, "ms p50"), about, rest)


def _costs(report: Report) -> Iterator[str]:
    cold, memory, energy = report.cold_start_ms, report.memory_mib, report.energy
    if memory.peak is not None:
        now = "" if memory.rss is None else f"{memory.rss:.0f} MiB after the camera"
        yield _card("", "memory", _big(memory.peak, "MiB peak"), "of this process", now)
    if cold is not None:
        parts = f"import {cold.imports:.0f}, load {cold.load:.0f}, first {cold.first_frame:.0f} ms"
        about = f"from nothing to the first answer, median of {cold.n}"
        yield _card("", "cold start", _big(cold.total, "ms"), about, parts)
    if energy is None:
        yield _card("", "energy", UNKNOWN, "no power sensor can be read here", "")
    else:
        idle = "" if energy.idle_w is None else f"idle {energy.idle_w:.1f} W, not counted"
        yield _card(
            "", "energy", _big(energy.net_mj_per_frame, "mJ a frame"), "above idle, engine", idle
        )


def _big(value: float | None, unit: str) -> str:
    if value is None:
        return f"{UNKNOWN} <small>{unit}</small>"
    return (
        f"{value:,.1f} <small>{unit}</small>"
        if value < 1000
        else f"{value:,.0f} <small>{unit}</small>"
    )


def _ms(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} ms"
