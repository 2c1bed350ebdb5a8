"""How times are spread: a histogram, and below it which share took no longer."""

import numpy as np

from stopline.devices.latency.figures import SHARES, Times
from stopline.devices.latency.page.svg import Scale, axis_x, axis_y, line, path, rect, svg, text
from stopline.devices.latency.report import Measured

WIDTH, LEFT, RIGHT = 560.0, 52.0, 546.0
TOP, MIDDLE, CDF_TOP, BOTTOM = 46.0, 196.0, 228.0, 328.0
HEIGHT = 364.0
BINS = 48
SHOWN = 99.5  # percentile at which the plot ends, unless the tail is short


def distribution(of: Measured, title: str) -> str:
    """Both plots, on one scale."""
    times = np.asarray(of.samples_ms)
    if len(times) < 2:
        return ""
    low, high, beyond = _range(times)
    x = Scale(low, high, LEFT, RIGHT)
    tail = f"{beyond} of {len(times)} beyond, longest {times.max():.1f} ms" if beyond else ""
    return svg(
        WIDTH,
        HEIGHT,
        text(LEFT, 16, title, "title"),
        text(RIGHT, 16, f"n = {len(times)}", "unit", "end"),
        _histogram(times, x),
        _marks(of, x),
        _cdf(times, x),
        axis_x(x, BOTTOM, "ms"),
        text(LEFT, BOTTOM + 30, tail, "unit"),
        label=f"{title}: histogram and cumulative distribution of {len(times)} times",
    )


def _range(times: Times) -> tuple[float, float, int]:
    low, high = float(times.min()), float(times.max())
    usual = float(np.percentile(times, SHOWN))
    if high - low > 1.6 * (usual - low) > 0:
        high = usual
    room = max((high - low) * 0.03, 0.01)
    return low - room, high + room, int(np.count_nonzero(times > high + room))


def _histogram(times: Times, x: Scale) -> str:
    counts, edges = np.histogram(times, bins=BINS, range=(x.low, x.high))
    y = Scale(0, float(counts.max()) * 1.05, MIDDLE, TOP)
    bars = [
        rect(
            (x.at(left) + 0.5, y.at(int(count))),
            (x.at(right) - x.at(left) - 1, MIDDLE - y.at(int(count))),
            "bar",
            f"{left:.2f} to {right:.2f} ms: {count}",
        )
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    ]
    return (
        axis_y(y, LEFT, RIGHT, "times") + "".join(bars) + line(LEFT, MIDDLE, RIGHT, MIDDLE, "axis")
    )


def _cdf(times: Times, x: Scale) -> str:
    y = Scale(0, 100, BOTTOM, CDF_TOP)
    ordered = np.sort(times)
    ranks = np.linspace(0, len(ordered) - 1, min(len(ordered), 400)).astype(int)
    points: list[tuple[float, float]] = [(LEFT, y.at(0))]
    for rank in ranks:
        at = x.at(float(ordered[rank]))
        if at <= RIGHT:
            points += [(at, points[-1][1]), (at, y.at(100 * (rank + 1) / len(ordered)))]
    points.append((RIGHT, points[-1][1]))
    return axis_y(y, LEFT, RIGHT, "%") + path(points, "curve")


def _marks(of: Measured, x: Scale) -> str:
    """Percentiles as lines through both plots, labelled at the top where there is room."""
    shapes: list[str] = []
    taken = LEFT - 40
    for name in SHARES:
        value = getattr(of, name)
        if value is None or not x.low <= value <= x.high:
            continue
        at = x.at(value)
        shapes.append(line(at, TOP - 4, at, BOTTOM, "mark"))
        if at - taken >= 30:
            label = name.removesuffix("_ms").replace("p999", "p99.9")
            shapes.append(text(at, TOP - 7, label, "marked", "middle"))
            taken = at
    return "".join(shapes)
