"""One HTML file that needs nothing else: no script, no font, no network."""

from collections.abc import Iterator
from html import escape

from stopline.devices.latency.figures import Figures
from stopline.devices.latency.page.bars import layer_bars, waterfall
from stopline.devices.latency.page.cards import cards
from stopline.devices.latency.page.distribution import distribution
from stopline.devices.latency.page.style import STYLE
from stopline.devices.latency.page.timeline import timeline
from stopline.devices.latency.report import Report
from stopline.devices.latency.rows import measured_parts

FIGURES = {"p50_ms": "p50", "p90_ms": "p90", "p99_ms": "p99", "p999_ms": "p99.9", "mean_ms": "mean"}
UNKNOWN = "&ndash;"


def html_page(report: Report) -> str:
    """Cards, notes, plots, tables."""
    subject = report.subject
    title = f"{subject.bundle} {subject.precision} on {subject.backend}"
    body = "\n".join(_body(report, title))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: stopline profile</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _body(report: Report, title: str) -> Iterator[str]:
    subject = report.subject
    sizes = "{}x{}".format(*subject.input_wh), "{}x{}".format(*subject.frame_wh)
    about = (
        f"{subject.threads} threads, input {sizes[0]}, frames {sizes[1]} of {subject.source}; "
        f"{report.conditions.board or report.conditions.machine}, {report.utc}"
    )
    yield f"<header><h1>{escape(title)}</h1><p class=sub>{escape(about)}</p></header>"
    yield cards(report)
    if report.remarks:
        items = "".join(f"<li>{escape(one)}</li>" for one in report.remarks)
        yield f"<ul class=notes>{items}</ul>"
    yield "<h2>Percentiles</h2>"
    yield _percentiles(report)
    yield from _plots(report)
    yield "<h2>Conditions</h2>"
    yield _table(_conditions(report))
    yield (
        f"<footer>stopline {escape(report.stopline)}; model sha256 "
        f"{subject.model_sha256[:16]}…; profiling took {report.overhead.per_run_us:.0f} µs a run "
        f"and {report.overhead.watch_share:.2%} of a core</footer>"
    )


def _plots(report: Report) -> Iterator[str]:
    named = (
        (report.engine, "engine: the model alone"),
        (report.capture_to_result, "capture to result: age of an answer"),
    )
    drawn = [distribution(of, title) for of, title in named if of is not None]
    yield from _section("Latency", [one for one in drawn if one])
    if report.windows:
        yield "<h2>Over time</h2>"
        yield f"<figure>{timeline(report.windows)}{_absent(report)}</figure>"
    where = [waterfall(report.stages)]
    if report.layers is not None:
        key = (
            '<p class=key><i style="background:var(--d)"></i>reformats: '
            f"{report.layers.reformat_share:.1%} of the engine's time{_slowed(report)}</p>"
        )
        where.append(layer_bars(report.layers) + key)
    yield from _section("Where the time goes", [one for one in where if one])


def _section(title: str, drawings: list[str]) -> Iterator[str]:
    if drawings:
        yield f"<h2>{title}</h2>"
        figures = "".join(f"<figure>{one}</figure>" for one in drawings)
        yield f"<div class=two-up>{figures}</div>"


def _slowed(report: Report) -> str:
    slowdown = report.layers and report.layers.slowdown
    return f"; with the profiler on it takes {slowdown:.2f} times as long" if slowdown else ""


def _absent(report: Report) -> str:
    missing = [name for name, found in report.conditions.sensors.items() if not found]
    told = f"No sensor here tells of {', '.join(missing)}. " if missing else ""
    scale = "In the first row each part has a scale of its own, from 0 to its highest."
    return f"<p class=key>{escape(told + scale)}</p>"


def _percentiles(report: Report) -> str:
    head = "".join(f"<th>{name}, ms</th>" for name in FIGURES.values())
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{part.n}</td>{_cells(part)}</tr>"
        for name, part in measured_parts(report).items()
    )
    return (
        f"<figure class=scroll><table><tr><th></th><th>n</th>{head}</tr>{rows}</table>"
        "<p class=key>With 95 % intervals. A percentile that n cannot bound on both sides is "
        f"{UNKNOWN}.</p></figure>"
    )


def _cells(part: Figures) -> str:
    cells = []
    for name in FIGURES:
        value = getattr(part, name)
        if value is None:
            cells.append(f"<td>{UNKNOWN}</td>")
            continue
        low, high = part.intervals.get(name, (None, None))
        within = "" if low is None else f" <small>{low:.2f}&ndash;{high:.2f}</small>"
        cells.append(f"<td>{value:.2f}{within}</td>")
    return "".join(cells)


def _table(rows: Iterator[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td>{escape(name)}</td><td class=wide>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<figure class=scroll><table>{cells}</table></figure>"


def _conditions(report: Report) -> Iterator[tuple[str, str]]:
    about, unknown = report.conditions, "not told"
    yield "CPU", f"{about.cpu or unknown}; {about.cpus} cores usable"
    yield "GPU", about.gpu or "none"
    yield "memory", unknown if about.memory_mib is None else f"{about.memory_mib} MiB"
    yield "governors", ", ".join(about.governors) or unknown
    yield "power mode", about.power_mode or unknown
    yield "system", f"Linux {about.kernel}, Python {about.python}"
    yield "libraries", ", ".join(f"{name} {found}" for name, found in about.libraries.items())
    bad = sum(not one.valid for one in report.windows)
    yield "windows", f"{len(report.windows)}, of which {bad} not valid"
