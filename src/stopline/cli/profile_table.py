"""A profile for people."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stopline.devices.latency.budget import Held
from stopline.devices.latency.comparison import Comparison
from stopline.devices.latency.figures import Figures
from stopline.devices.latency.report import Against, Report, Subject
from stopline.devices.latency.rows import measured_parts

FIGURES = ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "mean_ms")
MEANS = {
    "engine": "the model alone",
    "pipeline": "from one result to the next",
    "capture_to_result": "age of an answer when it is there",
    "single_stream": "an image, letterbox to boxes",
    "multi_stream": "a query of several images",
}
HEADLINE = {"single_stream": "p90_ms", "multi_stream": "p99_ms"}  # MLPerf's
MOST_LAYERS = 8
UNKNOWN = "-"


def print_report(report: Report, console: Console) -> None:
    """The figures, the camera, the stages, the layers, and what must be known to believe them."""
    console.print(Text(subject_line(report.subject)), soft_wrap=True)
    console.print(_times(report))
    for line in _lines(report):
        console.print(Text(line), soft_wrap=True)
    if report.stages:
        console.print(_stages(report))
    if report.layers is not None:
        console.print(_layers(report))
    for remark in report.remarks:
        console.print(Text(f"note: {remark}"), soft_wrap=True)


def print_held(limits: Sequence[Held], console: Console) -> None:
    """A budget, line by line."""
    table = _table("budget", "limit", "found", "")
    for one in limits:
        found = "not known" if one.found is None else f"{one.found:.3f}"
        sign = "at least " if one.at_least else ""
        verdict = "holds" if one.holds else "BROKEN"
        table.add_row(one.name, f"{sign}{one.limit:g}", found, verdict)
    console.print(table)


def print_comparison(
    found: Comparison, of: tuple[Subject, Subject], apart: Sequence[str], console: Console
) -> None:
    """B against A."""
    for name, one in zip("AB", of, strict=True):
        console.print(Text(f"{name}: {subject_line(one)}"), soft_wrap=True)
    for line in apart:
        console.print(Text(f"different conditions: {line}"), soft_wrap=True)
    console.print(Text(verdict_line(found)), soft_wrap=True)


def print_against(found: Against, console: Console) -> None:
    """Two that were measured in turn."""
    print_comparison(found.comparison, found.subjects, (), console)
    waiting = ", without waiting for a core" if found.minus_waiting else ""
    note = f"{len(found.a_ms)} pairs of engine times{waiting}, in {found.seconds:.0f} s"
    console.print(Text(note), soft_wrap=True)


def verdict_line(found: Comparison) -> str:
    """In one sentence."""
    if found.ratio is None or found.interval is None:
        return f"{found.verdict.value}: {found.why}"
    low, high = found.interval
    kind = "pairs" if found.paired else "sessions of each"
    return (
        f"B is {found.verdict.value}: {found.ratio - 1:+.1%} of A's time"
        if found.verdict.value != "cannot tell"
        else f"cannot tell: {found.ratio - 1:+.1%}"
    ) + (
        f" (99 % interval {low - 1:+.1%} to {high - 1:+.1%}, p = {found.p_value:.4f}, "
        f"{found.values} {kind} in blocks of {found.block}, least {found.least:.0%})"
    )


def subject_line(subject: Subject) -> str:
    """What was measured."""
    width, height = subject.input_wh
    return (
        f"{subject.bundle} {subject.precision} on {subject.backend}, {subject.threads} threads, "
        f"input {width}x{height}, frames {subject.frame_wh[0]}x{subject.frame_wh[1]} of "
        f"{subject.source}"
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in ("", columns[0]) else "right")
    return table


def _times(report: Report) -> Table:
    table = _table("ms", "n", "p50", "p90", "p99", "p99.9", "mean", "")
    for name, part in measured_parts(report).items():
        cells = [_cell(part, figure, bold=HEADLINE.get(name) == figure) for figure in FIGURES]
        table.add_row(Text(name), Text(str(part.n)), *cells, Text(MEANS[name], style="dim"))
    return table


def _cell(part: Figures, figure: str, *, bold: bool = False) -> Text:
    value = getattr(part, figure)
    if value is None:
        return Text(UNKNOWN, style="dim")
    cell = Text(f"{value:.2f}", style="bold" if bold else "")
    if figure in part.intervals:
        low, high = part.intervals[figure]
        cell.append(f" ({low:.2f}..{high:.2f})", style="dim")
    return cell


def _lines(report: Report) -> Iterator[str]:
    if report.pipeline is not None and report.pipeline.fps is not None:
        where = "decoded" if report.pipeline.decodes else "from memory"
        yield f"throughput: {report.pipeline.fps:.1f} frames a second, frames {where}"
    camera = report.scenarios.camera
    if camera is not None:
        offered = "?" if camera.offered_fps is None else f"{camera.offered_fps:g}"
        missed = UNKNOWN if camera.miss_ratio is None else f"{camera.miss_ratio:.1%}"
        oldest = UNKNOWN if camera.most_age_ms is None else f"{camera.most_age_ms:.0f} ms"
        yield (
            f"camera at {offered} a second: {camera.sent} sent, {camera.answered} answered, "
            f"{camera.dropped} dropped, {camera.late} late; {missed} missed the deadline of "
            f"{camera.deadline_ms:.0f} ms; oldest answer {oldest}"
        )
    yield from _costs(report)


def _costs(report: Report) -> Iterator[str]:
    memory = report.memory_mib
    if memory.peak is not None and memory.rss is not None:
        yield f"memory: {memory.rss:.0f} MiB, peak {memory.peak:.0f}"
    cold = report.cold_start_ms
    if cold is not None:
        yield (
            f"cold start: {cold.total:.0f} ms (process {cold.process:.0f}, import "
            f"{cold.imports:.0f}, load {cold.load:.0f}, first frame {cold.first_frame:.0f}; "
            f"median of {cold.n})"
        )
    energy = report.energy
    if energy is not None and energy.load_w is not None and energy.gross_mj_per_frame is not None:
        net = energy.net_mj_per_frame
        above = "" if net is None else f", {net:.0f} of it above idle ({energy.idle_w:.1f} W)"
        yield f"energy: {energy.gross_mj_per_frame:.0f} mJ a frame at {energy.load_w:.1f} W{above}"
    over = report.overhead
    core = f"sensors {over.watch_share:.2%} of a core"
    yield f"profiling itself: {over.per_run_us:.0f} µs a run, {core}"


def _stages(report: Report) -> Table:
    table = _table("stage, ms", "p50", "p99", "mean", "share")
    whole = sum(one.mean_ms or 0.0 for one in report.stages.values()) or 1.0
    for name, one in report.stages.items():
        cells = ["-" if value is None else f"{value:.2f}" for value in (one.p50_ms, one.p99_ms)]
        mean = one.mean_ms or 0.0
        table.add_row(name, *cells, f"{mean:.2f}", f"{mean / whole:.0%}")
    return table


def _layers(report: Report) -> Table:
    layers = report.layers
    assert layers is not None
    slower = "" if layers.slowdown is None else f", profiled {layers.slowdown:.2f} times as slow"
    title = f"layers by {layers.tool}, reformats {layers.reformat_share:.0%}{slower}"
    table = _table(title, "kind", "ms", "share")
    for layer in layers.layers[:MOST_LAYERS]:
        table.add_row(Text(layer.name[-60:]), layer.kind, f"{layer.ms:.3f}", f"{layer.share:.1%}")
    return table
