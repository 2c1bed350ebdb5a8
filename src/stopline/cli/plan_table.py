"""The table and the JSON of `stopline plan`, both of which say that it is an estimate."""

from dataclasses import asdict
from typing import Any, NamedTuple

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from stopline.devices.planning.efficiency import FITTED, FITTED_SM, WORST_LEFT_OUT
from stopline.devices.planning.prediction import BOUNDS, Prediction
from stopline.devices.profiles.profile import Profile
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Precision

HEADINGS = (
    *("variant", "ms (estimate)", "range", "at the peaks", "GMAC", "MB moved"),
    *("limited by", "memory, MiB"),
)
LAYER_HEADINGS = ("layer", "kind", "us (estimate)", "limited by", "MMAC", "kB moved")


class Row(NamedTuple):
    """One variant; `why` there is no prediction."""

    precision: Precision
    found: Prediction | None
    why: str | None


def plan_table(rows: list[Row], board: Profile, bundle: str) -> Table:
    """A row for each variant, and what the figures are worth."""
    grid = Table(
        title=f"{bundle} on {board.name}: an estimate, nothing was run",
        title_justify="left",
        caption=_caption(rows),
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for heading in HEADINGS:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in (row.precision, *_cells(row))))
    return grid


def layer_table(row: Row, most: int) -> Table:
    """The slowest layers of a variant."""
    grid = Table(
        title=f"{row.precision}: slowest layers", title_justify="left", box=None, pad_edge=False
    )
    for heading in LAYER_HEADINGS:
        grid.add_column(heading, overflow="fold")
    layers = row.found.layers if row.found else ()
    for one in sorted(layers, key=lambda layer: layer.us, reverse=True)[:most]:
        kernel = one.kernel
        figures = (
            f"{one.us:.1f}",
            one.bound,
            f"{kernel.macs / 1e6:.1f}",
            f"{kernel.bytes / 1e3:.0f}",
        )
        grid.add_row(*map(Text, (kernel.name, f"{kernel.kind} {kernel.precision}", *figures)))
    return grid


def as_json(rows: list[Row], device: str, bundle: Bundle) -> dict[str, Any]:
    """A figure that is not known is null."""
    return {
        "bundle": str(bundle.path),
        "device": device,
        "estimate": True,
        "efficiency": asdict(FITTED),
        "worst_error_left_out": WORST_LEFT_OUT,
        "variants": {row.precision: _of_variant(row) for row in rows},
    }


def _of_variant(row: Row) -> dict[str, Any]:
    found = row.found
    if found is None:
        return {"ms": None, "why": row.why}
    return {
        "ms": found.ms,
        "range_ms": found.range_ms,
        "at_peaks_ms": found.at_peaks_ms,
        "macs": found.macs,
        "bytes": found.bytes,
        "limited_by": {bound: found.share(bound) for bound in BOUNDS},
        "memory_mib": {"needed": found.memory.needed, "available": found.memory.available},
        "fits": found.memory.fits,
        "layers": msgspec.to_builtins(found.layers),
    }


def _cells(row: Row) -> tuple[str, ...]:
    found = row.found
    if found is None:
        return (f"none: {row.why}",)
    low_high = "unknown" if found.range_ms is None else "{:.1f} to {:.1f}".format(*found.range_ms)
    limits = [f"{bound} {found.share(bound):.0%}" for bound in BOUNDS if found.share(bound) >= 0.01]
    memory = found.memory
    fits = "fits" if memory.fits else "DOES NOT FIT"
    return (
        "unknown" if found.ms is None else f"{found.ms:.1f}",
        low_high,
        f"{found.at_peaks_ms:.2f} ms",
        f"{found.macs / 1e9:.2f}",
        f"{found.bytes / 1e6:.0f}",
        ", ".join(limits),
        f"{memory.needed:.0f} of {memory.available:.0f}: {fits}",
    )


def _caption(rows: list[Row]) -> str:
    found = [row.found for row in rows if row.found is not None]
    if any(one.range_ms is not None for one in found):
        return (
            "Fitted to published times of YOLO11 on three Orins; off by up to "
            f"{WORST_LEFT_OUT:.0%} on the one left out. Measure on the board: stopline profile."
        )
    if any(one.ms is not None for one in found):
        return (
            f"No range: the efficiency was fitted on Orin (sm {FITTED_SM}) alone, and is a guess "
            "here. Measure on the board: stopline profile."
        )
    return (
        "No estimate: nothing like this board was fitted. What is told is the time at its "
        "published peaks, of which a program reaches a part."
    )
