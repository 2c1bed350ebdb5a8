"""The picture of a search: what accuracy each share of INT8 left, and what was chosen."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from stopline.devices.whole_file import write_whole
from stopline.export.quantize.search import Found
from stopline.export.quantize.trials import Trial

SIZE_IN = (11.0, 8.0)
DPI = 110
NEAR = 0.06  # of FP32's score below the gate: what lies lower is on the small axes alone
NEAR_INT8 = 0.25  # likewise
STEPS = 11  # of the frontier that are named
LAYERS = 5  # that are named of a step
TRIED, EDGE, CHOSEN, GATE = "#9aa5b1", "#1f6fb4", "#d1495b", "#2e7d32"
INK = "#222222"


def frontier(trials: Collection[Trial]) -> tuple[Trial, ...]:
    """Those that no other beats in both score and share of INT8, the most INT8 first."""
    front: list[Trial] = []
    for trial in sorted(trials, key=lambda one: (-one.int8_macs, -one.score)):
        if not front or trial.score > front[-1].score:
            front.append(trial)
    return tuple(front)


def moved(front: Sequence[Trial]) -> tuple[str, ...]:
    """For each step of the frontier the layers that went to float (+) and came back (-)."""
    before = frozenset[str]()
    texts = []
    for trial in front:
        now = frozenset(trial.float_layers)
        texts.append(" ".join(_listed(now - before, "+") + _listed(before - now, "\N{MINUS SIGN}")))
        before = now
    return tuple(texts)


def pareto_png(found: Found, where: Path) -> None:
    """Draw the trials of a search; the whole file appears, or none of it."""
    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic(
        [["near", "all"], ["steps", "steps"]], width_ratios=(2.2, 1), height_ratios=(2.4, 1)
    )
    figure.suptitle(fill(found.why, 130), fontsize=10.5, color=INK)
    _draw_near(axes["near"], found)
    _draw_all(axes["all"], found)
    _write_steps(axes["steps"], found)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    write_whole(content.getvalue(), where)


def _listed(layers: Collection[str], sign: str) -> list[str]:
    names = sorted(name.rpartition("/")[2] for name in layers)
    more = [f"and {len(names) - LAYERS} more"] if len(names) > LAYERS else []
    return [f"{sign}{name}" for name in names[:LAYERS]] + more


def _near(found: Found) -> tuple[Trial, ...]:
    """The steps of the frontier about the gate, of too many those next to it."""
    low = min(found.settings.wanted, found.score) - NEAR
    left = found.int8_macs - NEAR_INT8
    front = frontier(found.trials)
    steps = [trial for trial in front if trial.score >= low and trial.int8_macs >= left]
    nearest = sorted(steps, key=lambda trial: abs(trial.int8_macs - found.int8_macs))[:STEPS]
    return tuple(sorted(nearest, key=lambda trial: -trial.int8_macs))


def _draw_near(axes: Axes, found: Found) -> None:
    """About the gate, each step of the frontier with its number."""
    steps = _near(found)
    _draw_trials(axes, found)
    for number, trial in enumerate(steps, 1):
        axes.annotate(
            str(number),
            (100 * trial.int8_macs, 100 * trial.score),
            xytext=(5, 5) if number % 2 else (-12, -14),
            textcoords="offset points",
            color=EDGE,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],
            zorder=6,
        )
    scores = [found.settings.wanted, 1.0, *(trial.score for trial in steps)]
    shares = [trial.int8_macs for trial in steps]
    axes.set_ylim(100 * min(scores) - 1.5, 100 * max(scores) + 0.5)
    margin = 0.5 + 10 * (max(shares) - min(shares))
    axes.set_xlim(100 * min(shares) - margin, 100 * max(shares) + margin)
    axes.set_xlabel("multiply-accumulates in INT8, %")
    axes.set_ylabel("score, % of FP32")
    axes.legend(loc="lower left", frameon=True)


def _draw_all(axes: Axes, found: Found) -> None:
    _draw_trials(axes, found)
    axes.set_title(f"all {len(found.trials)} trials, the same axes", fontsize=9, color=INK)
    axes.set_xlim(-2, 102)
    axes.tick_params(labelsize=8)


def _draw_trials(axes: Axes, found: Found) -> None:
    front = frontier(found.trials)
    axes.scatter(
        [100 * trial.int8_macs for trial in found.trials],
        [100 * trial.score for trial in found.trials],
        *(18, TRIED),
        label="tried",
    )
    axes.plot(
        [100 * trial.int8_macs for trial in front],
        [100 * trial.score for trial in front],
        *("o-",),
        color=EDGE,
        markersize=5,
        drawstyle="steps-post",
        label="frontier",
    )
    axes.plot(
        *([100 * found.int8_macs], [100 * found.score], "*"),
        color=CHOSEN,
        markersize=18,
        markeredgecolor="white",
        label="chosen" if found.reached else "the best, not enough",
        zorder=5,
    )
    axes.axhline(100 * found.settings.wanted, color=GATE, linestyle="--", label="gate")
    if found.settings.least_int8 > 0:
        axes.axvline(100 * found.settings.least_int8, color=GATE, linestyle=":", label="floor")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _write_steps(axes: Axes, found: Found) -> None:
    """What each numbered step moved."""
    axes.set_axis_off()
    front = frontier(found.trials)
    texts = dict(zip(front, moved(front), strict=True))
    lines = [
        f"{number:>2} {_star(trial, found)} {100 * trial.int8_macs:5.1f}  "
        f"{100 * trial.score:5.1f}  {texts[trial]}"
        for number, trial in enumerate(_near(found), 1)
    ]
    axes.text(
        *(
            0,
            1,
            "\n".join(["      INT8  score  layers to float (+) and back (\N{MINUS SIGN})", *lines]),
        ),
        family="monospace",
        fontsize=8.5,
        va="top",
        color=INK,
        linespacing=1.5,
        transform=axes.transAxes,
    )


def _star(trial: Trial, found: Found) -> str:
    return "★" if trial.float_layers == found.float_layers else " "
