"""A parting as a picture: noise along the depth of the net, and what it does to the answer."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from stopline.devices.whole_file import write_whole
from stopline.export.bisect.parting import FLOORS, Compared, Parting, decibels
from stopline.export.contract import NET

SIZE_IN = (12.0, 8.0)
DPI = 110
TOP, BOTTOM = 100.0, 0.0  # dB that are drawn; what has less noise, or more, lies at the edge
NAMED = 5  # of what parts, or else contributes most
LANES, LANE = NAMED, 4.5  # where names stand below the noise, and how far apart, dB
BARS = 12
INK, LINE, CULPRIT = "#222222", "#7f8c9a", "#d1495b"
OTHER = "no layer"
KINDS = {
    "dense": "#1f6fb4",
    "pointwise": "#4aa3a2",
    "depthwise": "#e0912f",
    "grouped": "#8e6bbf",
    OTHER: "#c3ccd5",
}


def picture(parting: Parting, where: Path) -> None:
    """Draw it as a PNG; the whole file appears, or none of it."""
    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(fill(str(parting), 125), fontsize=10.5, color=INK)
    rows = [each for each in parting.compared if each.db is not None]
    if parting.contributions:
        axes = figure.subplot_mosaic([["depth"], ["bars"]], height_ratios=(2, 1))
        _draw_contributions(axes["bars"], parting)
    else:
        axes = figure.subplot_mosaic([["depth"]])
    _draw_depth(axes["depth"], rows)
    _name_culprits(axes["depth"], rows, parting)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_whole(content.getvalue(), where)


def _draw_depth(axes: Axes, rows: Sequence[Compared]) -> None:
    """A dot for the own noise of each tensor, a line for what has gathered at each layer."""
    layers = [index for index, each in enumerate(rows) if _kind(each) != OTHER]
    line = [_drawn(rows[index].db) for index in layers]
    axes.plot(layers, line, color=LINE, lw=1.3, label="in all, what it inherits included")
    for kind, colour in KINDS.items():
        at = [i for i, each in enumerate(rows) if _kind(each) == kind and each.own_db < math.inf]
        own = [_drawn(rows[index].own_db) for index in at]
        size = 12 if kind == OTHER else 30
        axes.scatter(at, own, size, colour, label=f"its own: {kind}" if at else None, zorder=3)
    for precision in sorted({rows[index].precision for index in layers}):
        floor = FLOORS[precision][0]
        axes.axhline(floor, color=CULPRIT, lw=0.8, ls=":")
        told = f" a sound\n {precision} layer"
        axes.text(len(rows), floor, told, color=CULPRIT, fontsize=8, va="center")
    axes.set_ylim(BOTTOM - (LANES + 0.6) * LANE, TOP + 2)
    axes.set_yticks(range(int(BOTTOM), int(TOP), 20))
    axes.set_xlim(-2, len(rows))
    axes.set_ylabel("signal to noise, dB")
    axes.set_xlabel(
        "tensors, in the order in which they compute; without a dot: no noise of its own"
    )
    axes.legend(loc="upper right", fontsize=8, ncols=3, framealpha=0.9)
    axes.spines[["top", "right"]].set_visible(False)


def _name_culprits(axes: Axes, rows: Sequence[Compared], parting: Parting) -> None:
    """Rings around what parts; names for the first of those, else for what contributes most."""
    parted = [index for index, each in enumerate(rows) if each.parts]
    own = [_drawn(rows[index].own_db) for index in parted]
    axes.scatter(parted, own, 130, facecolors="none", edgecolors=CULPRIT, linewidths=1.6, zorder=4)
    most = [each.place for each in parting.contributions[:NAMED]]
    named = parted[:NAMED] or [i for i, each in enumerate(rows) if each.place in most][:NAMED]
    for lane, index in enumerate(named):
        each = rows[index]
        colour = CULPRIT if each.parts else INK
        axes.annotate(
            f"{each.place.removeprefix(NET)} {decibels(each.own_db)}",
            (index, _drawn(each.own_db)),
            (index, BOTTOM - LANE * (1 + lane % LANES)),
            ha="left" if index < len(rows) / 2 else "right",
            fontsize=8.5,
            color=colour,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.7,
                "relpos": (0.0 if index < len(rows) / 2 else 1.0, 0.5),
            },
            path_effects=[withStroke(linewidth=3, foreground="white")],
            zorder=6,
        )


def _draw_contributions(axes: Axes, parting: Parting) -> None:
    worst = parting.contributions[:BARS]
    kinds = {each.place: _kind(each) for each in parting.compared}
    names = [each.place.removeprefix(NET) for each in worst]
    colours = [KINDS[kinds[each.place]] for each in worst]
    shares = [100 * each.share for each in worst]
    axes.barh(range(len(worst)), shares, color=colours)
    axes.set_yticks(range(len(worst)), names, fontsize=8.5)
    for row, each in enumerate(worst):
        told = f" {each.share:.1%}: scores {decibels(each.scores_db)}, boxes {each.boxes_px:.2g} px"
        axes.text(100 * each.share, row, told, va="center", fontsize=8.5, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.35 * max(shares))
    axes.set_xlabel("share of the noise in the answer, %, each layer's own alone")
    axes.spines[["top", "right"]].set_visible(False)


def _kind(each: Compared) -> str:
    kind = each.op.split(" ")[0]
    return kind if kind in KINDS else OTHER


def _drawn(db: float | None) -> float:
    return BOTTOM if db is None or math.isnan(db) else min(max(db, BOTTOM), TOP)
