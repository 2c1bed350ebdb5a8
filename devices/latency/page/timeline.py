"""What happened while it was measured: times, clocks, temperatures, other programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from stopline.devices.latency.page.svg import (
    Scale,
    axis_x,
    axis_y,
    dot,
    line,
    path,
    rect,
    svg,
    text,
)
from stopline.devices.latency.report import Window

WIDTH, LEFT, RIGHT, TOP = 1140.0, 52.0, 1126.0, 46.0
ROW, GAP = 96.0, 34.0
PARTS = ("engine", "multi_stream", "pipeline", "camera")  # in the order of the colours
PART_NAMES = {"multi_stream": "multi-stream query", "camera": "capture to result"}
Values = Mapping[str, float | None]


def timeline(windows: Sequence[Window]) -> str:
    """One row for each kind of reading that there is, on one scale of time."""
    if not windows:
        return ""
    x = Scale(0, max(one.end_s for one in windows), LEFT, RIGHT)
    rows = [row for row in _rows(windows) if row[1]]
    height = TOP + len(rows) * (ROW + GAP) + 6
    shapes = [_spans(windows, x, height - GAP - 6)]
    for nth, (unit, _, draw) in enumerate(rows):
        top = TOP + nth * (ROW + GAP)
        shapes.append(draw(x, top, unit))
    shapes.append(axis_x(x, height - GAP - 6, "s"))
    return svg(WIDTH, height + 4, *shapes, label="times and conditions over the profile")


Draw = Callable[[Scale, float, str], str]


def _rows(windows: Sequence[Window]) -> Iterator[tuple[str, bool, Draw]]:
    yield "p50, ms", True, lambda x, top, unit: _times(windows, x, top, unit)
    busy = {"used by others": "others_share", "waiting for a core": "waited_share"}
    shares = [
        {name: _percent(getattr(one, field)) for name, field in busy.items()} for one in windows
    ]
    yield _row(windows, "%", shares, 100.0)
    yield _row(windows, "MHz", [one.clocks_mhz for one in windows])
    yield _row(windows, "°C", [one.temperatures_c for one in windows])
    yield _row(windows, "W", [one.power_w for one in windows])


def _row(
    windows: Sequence[Window], unit: str, values: Sequence[Values], high: float | None = None
) -> tuple[str, bool, Draw]:
    there = any(value is not None for one in values for value in one.values())

    def draw(x: Scale, top: float, unit: str) -> str:
        return _lines(windows, values, (x, _scale(values, top, high)), unit)

    return unit, there, draw


def _spans(windows: Sequence[Window], x: Scale, bottom: float) -> str:
    """The parts by name, and windows that are not valid shaded."""
    shapes = []
    for part in PARTS:
        own = [one for one in windows if one.part == part]
        if own:
            start = x.at(own[0].start_s)
            shapes.append(line(start, TOP - 22, start, bottom, "span"))
            name = PART_NAMES.get(part, part)
            kind, near = f"title ink{PARTS.index(part)}", RIGHT - start < 7 * len(name)
            at = RIGHT if near else start + 5
            shapes.append(text(at, TOP - 16, name, kind, "end" if near else "start"))
    shapes += [
        rect(
            (x.at(one.start_s), TOP),
            (x.at(one.end_s) - x.at(one.start_s), bottom - TOP),
            "bad",
            one.why or "",
        )
        for one in windows
        if not one.valid
    ]
    return "".join(shapes)


def _times(windows: Sequence[Window], x: Scale, top: float, unit: str) -> str:
    """Each part from 0 to its own highest: they differ tenfold."""
    shapes = [
        text(LEFT - 6, top - 8, unit, "unit", "end"),
        line(LEFT, top + ROW, RIGHT, top + ROW, "axis"),
    ]
    for nth, part in enumerate(PARTS):
        own = [one for one in windows if one.part == part and one.p50_ms is not None]
        if not own:
            continue
        high = max(one.p50_ms or 0.0 for one in own)
        y = Scale(0, high * 1.1, top + ROW, top)
        points = [(x.at((one.start_s + one.end_s) / 2), y.at(one.p50_ms or 0.0)) for one in own]
        shapes.append(path(points, f"curve line{nth}"))
        shapes += [
            dot(*at, f"dot{nth}", f"{one.p50_ms:.2f} ms, n = {one.n}")
            for at, one in zip(points, own, strict=True)
        ]
        peak = max(zip(points, own, strict=True), key=lambda both: both[1].p50_ms or 0.0)
        (peak_x, peak_y), _ = peak
        shapes.append(text(peak_x, peak_y - 7, f"{high:.1f}", f"tick ink{nth}", "middle"))
    return "".join(shapes)


def _lines(
    windows: Sequence[Window], values: Sequence[Values], scales: tuple[Scale, Scale], unit: str
) -> str:
    x, y = scales
    names = list(dict.fromkeys(name for one in values for name in one))
    shapes = [axis_y(y, LEFT, RIGHT, unit, 3)]
    after = RIGHT
    for nth, name in reversed(list(enumerate(names[:6]))):
        points = [
            (x.at((one.start_s + one.end_s) / 2), y.at(value))
            for one, told in zip(windows, values, strict=True)
            if (value := told.get(name)) is not None
        ]
        shapes.append(path(points, f"curve line{nth % 4}"))
        shapes.append(text(after, y.end - 6, name, f"tick ink{nth % 4}", "end"))
        after -= 7 * len(name) + 14
    return "".join(shapes)


def _scale(values: Sequence[Values], top: float, high: float | None) -> Scale:
    known = [value for one in values for value in one.values() if value is not None]
    most = high if high is not None else max(known, default=1.0) * 1.05
    least = 0.0 if high is not None else min(known, default=0.0) * 0.95
    return Scale(least, most, top + ROW, top)


def _percent(share: float | None) -> float | None:
    return None if share is None else min(100.0, 100 * share)
