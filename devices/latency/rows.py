"""A report as rows of CSV: one figure each, for whoever keeps them in a sheet."""

import csv
import io
from collections.abc import Iterator

from stopline.devices.latency.figures import SHARES, Figures
from stopline.devices.latency.report import Report

HEADER = ("part", "figure", "value", "low", "high", "n")
Row = tuple[str, str, float | str | None, float | None, float | None, int | None]


def csv_of(report: Report) -> str:
    """What is not known is an empty cell."""
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_rows(report))
    return into.getvalue()


def measured_parts(report: Report) -> dict[str, Figures]:
    """All that have percentiles, in the order of the table."""
    scenarios = report.scenarios
    parts = {
        "engine": report.engine,
        "pipeline": report.pipeline,
        "capture_to_result": report.capture_to_result,
        "single_stream": scenarios.single_stream,
        "multi_stream": scenarios.multi_stream,
    }
    return {name: part for name, part in parts.items() if part is not None}


def _rows(report: Report) -> Iterator[Row]:
    for name, part in measured_parts(report).items():
        yield from _times(name, part)
    if report.pipeline is not None:
        yield "pipeline", "fps", report.pipeline.fps, None, None, report.pipeline.n
    camera = report.scenarios.camera
    if camera is not None:
        for figure in ("offered_fps", "answered_fps", "sent", "answered", "dropped", "late"):
            yield "camera", figure, getattr(camera, figure), None, None, camera.sent
        yield "camera", "miss_ratio", camera.miss_ratio, None, None, camera.sent
    for name, stage in report.stages.items():
        yield from _times(f"stage {name}", stage)
    yield from _scalars(report)


def _times(name: str, part: Figures) -> Iterator[Row]:
    for figure in (*SHARES, "mean_ms"):
        low, high = part.intervals.get(figure, (None, None))
        yield name, figure, getattr(part, figure), low, high, part.n


def _scalars(report: Report) -> Iterator[Row]:
    for part in ("memory_mib", "cold_start_ms", "energy"):
        of = getattr(report, part)
        for field in () if of is None else of.__struct_fields__:
            value = getattr(of, field)
            if value is None or isinstance(value, (int, float)):
                yield part, field, value, None, None, None
    if report.layers is not None:
        for layer in report.layers.layers:
            yield "layer", layer.name, layer.ms, None, None, report.layers.runs
