"""The table and the JSON of `stopline verify`."""

from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from stopline.devices.verification import Checked, Verification
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Fidelity

HEADINGS = (
    *("variant", "on", "arithmetic", "self-test", "boxes", "AP", "of FP32's AP", "95 %"),
    *("at export", "as exported?"),
)


def table(found: Verification, bundle: Bundle) -> Table:
    """A row for each variant on each backend; the last column is never a bare yes beside a no."""
    runs = "" if found.runs is None else f"; `run` takes {found.runs[0]} on {found.runs[1]}"
    grid = Table(
        title=f"{bundle.manifest.name} on this machine{runs}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in HEADINGS:
        grid.add_column(heading, overflow="fold")
    for row in found.rows:
        if row.selftest is None and not row.decides:
            continue
        said = bundle.manifest.variants[row.precision].fidelity
        grid.add_row(row.precision, row.backend, row.arithmetic, *_figures(row, said), answer(row))
    return grid


def answer(row: Checked) -> str:
    """Whether it is what was exported, and why not."""
    if row.selftest is None:
        return "; ".join([*row.failures, *row.notes])
    word = "yes"
    if row.failures:
        word = "no" if row.decides else "no, and not used"
    elif row.precision == "int8" and row.AP is None:
        word = "its self-test"
    told = "; ".join([*row.failures, *row.notes])
    return f"{word}: {told}" if told else word


def not_run(found: Verification) -> list[str]:
    """One line for each backend that this machine has not got, or has no engine for."""
    lines = [
        f"{row.backend}: {note}"
        for row in found.rows
        if row.selftest is None and not row.decides
        for note in row.notes
    ]
    return list(dict.fromkeys(lines))


def as_json(found: Verification, bundle: Bundle) -> dict[str, Any]:
    """What `--json` writes. A figure that is not known is null."""
    return {
        "bundle": str(bundle.path),
        "name": bundle.manifest.name,
        "passed": found.passed,
        "failures": list(found.failures),
        "run_takes": None if found.runs is None else list(found.runs),
        "rows": [_row(row, bundle) for row in found.rows],
    }


def _row(row: Checked, bundle: Bundle) -> dict[str, Any]:
    exported = bundle.manifest.variants[row.precision]
    return {
        **msgspec.to_builtins(row),
        "passed": not row.failures and row.selftest is not None,
        "exported": {
            "accuracy": msgspec.to_builtins(exported.accuracy),
            "fidelity": msgspec.to_builtins(exported.fidelity),
        },
    }


def _figures(row: Checked, exported: Fidelity | None) -> tuple[str, ...]:
    tested = row.selftest
    selftest = f"{tested.found.matched:.0%} of {tested.found.boxes}" if tested else "-"
    said = row.fidelity
    boxes = f"{said.matched:.1%} of {said.boxes}" if said else "-"
    share = "-" if said is None or said.AP_share is None else f"{said.AP_share:.1%}"
    within = said.AP_interval if said else None
    interval = "-" if within is None else f"{within[0]:.3f}-{within[1]:.3f}"
    before = exported.AP_share if exported else None
    at_export = "-" if before is None else f"{before:.1%}"
    return selftest, boxes, "-" if row.AP is None else f"{row.AP:.3f}", share, interval, at_export
