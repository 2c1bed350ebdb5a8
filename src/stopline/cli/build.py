"""`stopline build`: TensorRT engines of a bundle for this board."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from stopline.cli.preflight_table import preflight_table
from stopline.cli.report import given
from stopline.devices.board import Board, this_board
from stopline.devices.engines.ladder import Climbed, Edit, LadderSettings, Target, climb
from stopline.devices.engines.layer_report import types_used
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.rungs import Attempt
from stopline.devices.engines.work import Work
from stopline.devices.preflight import Preflight, preflight, why_no_engine
from stopline.devices.whole_file import refuse_unwritable
from stopline.runtime.backends.backend import BackendError
from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.manifest import Precision


@dataclass(frozen=True)
class _Wanted:
    """The options of the command."""

    precision: Precision | None
    optimisation: int | None
    workspace: int | None
    dla: int | None
    timeout: float | None
    no_run: bool
    check: bool
    json: Path | None


@click.command(name="build")
@click.argument("bundle", default="road-nano")
@click.option(
    "--precision", type=click.Choice(get_args(Precision)), help="Only this one [the ladder]."
)
@click.option(
    "--optimisation", type=click.IntRange(0, 5), help="How long to look for fast kernels [3]."
)
@click.option(
    "--workspace", type=click.IntRange(1), metavar="MIB", help="Scratch memory [half of the free]."
)
@click.option("--dla", type=click.IntRange(0), metavar="CORE", help="Use an accelerator of Jetson.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds for a build.")
@click.option("--no-run", is_flag=True, help="Only build; needs no GPU, and chooses nothing.")
@click.option("--check", is_flag=True, help="Build nothing; say what can run the bundle here.")
@click.option("--json", type=click.Path(path_type=Path), help="Write a report; - is stdout.")
def command(bundle: str, **options: Any) -> int:
    """Build TensorRT engines of BUNDLE (default: road-nano) for this board, and choose one.

    The ladder: INT8, INT8 without the nodes that TensorRT refuses, FP16, FP32. Each is run on the
    bundle's self-test; the best that gives its boxes, and is not slower than the next, is chosen.
    """
    wanted = _Wanted(**options)
    if wanted.json is not None and wanted.json != Path("-"):
        refuse_unwritable(wanted.json)
    opened = open_bundle(bundle)
    board = this_board()
    if wanted.check:
        return _check(preflight(opened, board), wanted)
    target = _target(board, wanted)
    build = BuildSettings(
        optimisation=wanted.optimisation,
        workspace_mib=wanted.workspace,
        dla=wanted.dla,
        largest_batch=opened.manifest.input.batch,
    )
    settings = LadderSettings(build, wanted.precision, _edit())
    console = Console(stderr=True, highlight=False)
    with _progress(console, wanted.timeout) as work:
        climbed = climb(opened, target, settings, work)
    _report(climbed, target, opened, wanted)
    return _exit_code(climbed, target)


def _target(board: Board, wanted: _Wanted) -> Target:
    if board.tensorrt is None:
        raise BackendError(board.no_tensorrt or "no TensorRT")
    if board.gpu is None and wanted.no_run:
        return Target(board.tensorrt, None, None, board.no_gpu or "no GPU")
    if (why := why_no_engine(board, wanted.dla)) is not None:
        raise BackendError(
            f"{why}. An engine is for the GPU that it was built on; "
            "`stopline build --no-run` only shows that TensorRT takes the graphs"
        )
    assert board.gpu is not None
    return Target(
        board.tensorrt, board.gpu.name, board.gpu.sm, "--no-run" if wanted.no_run else None
    )


def _edit() -> Edit | None:
    """A board has no onnx, so INT8 without its offending nodes is built where it was exported."""
    try:
        from stopline.export.without_quantization import without_quantization
    except ImportError:
        return None
    return without_quantization


@contextmanager
def _progress(console: Console, timeout_s: float | None) -> Iterator[Work]:
    columns = (
        *(TextColumn("{task.description}"), BarColumn()),
        *(TaskProgressColumn(), TimeElapsedColumn()),
    )
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bars:
        bar = bars.add_task("starting", total=1.0)
        yield Work(
            on_progress=lambda share, phase: bars.update(bar, completed=share, description=phase),
            on_wait=lambda line: click.echo(f"stopline: {line}", err=True),
            timeout_s=timeout_s,
        )


def _report(climbed: Climbed, target: Target, bundle: Bundle, wanted: _Wanted) -> None:
    console = given(_as_json(climbed, target, bundle), wanted.json)
    console.print(_table(climbed, target))
    built = [one.record for one in climbed.attempts if one.record is not None]
    if built:
        console.print(Text(f"engines of {target.library} in {climbed.folder}"), soft_wrap=True)
    if target.not_run is not None:
        console.print(Text(f"not run: {target.not_run}"), soft_wrap=True)


def _check(found: Preflight, wanted: _Wanted) -> int:
    console = given(asdict(found), wanted.json)
    console.print(preflight_table(found))
    return 0 if found.able else 1


def _table(climbed: Climbed, target: Target) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("rung", "build s", "MiB", "layers take", "p50 ms", "verdict"):
        table.add_column(name, overflow="fold")
    for attempt in climbed.attempts:
        table.add_row(*(Text(cell) for cell in _row(attempt, climbed, target)))
    return table


def _row(attempt: Attempt, climbed: Climbed, target: Target) -> tuple[str, ...]:
    record = attempt.record
    verdict = attempt.why or ("built" if target.not_run else "holds")
    if attempt.rung == climbed.chosen:
        verdict = "chosen"
    if record is None:
        return attempt.rung, "", "", "", "", f"left: {verdict}"
    types = ", ".join(f"{count} {kind}" for kind, count in types_used(record.layers).items())
    p50 = "" if attempt.p50_ms is None else f"{attempt.p50_ms:.2f}"
    if record.floated:
        verdict += f"; in float: {', '.join(record.floated)}"
    if attempt.why is not None:
        verdict = f"left: {verdict}"
    seconds, mib = f"{record.built.seconds:.1f}", f"{record.plan_bytes / (1 << 20):.1f}"
    return attempt.rung, seconds, mib, types, p50, verdict


def _as_json(climbed: Climbed, target: Target, bundle: Bundle) -> dict[str, Any]:
    return {
        "bundle": str(bundle.path),
        "engines": climbed.folder,
        "gpu": target.gpu,
        "sm": target.sm,
        "library": str(target.library),
        "not_run": target.not_run,
        "chosen": climbed.chosen,
        "rungs": [
            {
                "rung": attempt.rung,
                "left": attempt.why,
                "record": None if attempt.record is None else msgspec.to_builtins(attempt.record),
            }
            for attempt in climbed.attempts
        ],
    }


def _exit_code(climbed: Climbed, target: Target) -> int:
    """0 if a rung was chosen, or, where nothing can run, if every variant was built."""
    failed = [one for one in climbed.attempts if one.record is None]
    if target.not_run is None and climbed.chosen is None:
        raise EngineError(f"no rung holds: {_reasons(climbed)}")
    if target.not_run is not None and failed:
        raise EngineError(f"not built: {_reasons(climbed)}")
    return 0


def _reasons(climbed: Climbed) -> str:
    return "; ".join(f"{one.rung}: {one.why}" for one in climbed.attempts if one.why is not None)
