"""Small SVG drawings: a scale, its ticks, and the few shapes that plots are made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to pixels, linear; `at(low)` is `start`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Not clipped."""
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between both."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in STEPS if one * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(nth * step, 10) for nth in range(first, last + 1)]


def told(value: float) -> str:
    """A tick's label."""
    return f"{value:,.10g}"


def svg(width: float, height: float, *shapes: str, label: str) -> str:
    """A drawing that scales with the page; `label` is for who cannot see it."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(shapes)}</svg>"
    )


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """`kind` is a class of the page's style."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def rect(corner: tuple[float, float], size: tuple[float, float], kind: str, title: str = "") -> str:
    """From its upper left corner; with `title` as a tip."""
    (x, y), (width, height) = corner, size
    tip = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}" class="{kind}">{tip}</rect>'
    )


def line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    """From one point to the other."""
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" class="{kind}"/>'


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Straight lines through the points."""
    if not points:
        return ""
    joined = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{joined}" class="{kind}"/>'


def dot(x: float, y: float, kind: str, title: str = "") -> str:
    """A small disc."""
    tip = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" class="{kind}">{tip}</circle>'


def axis_x(scale: Scale, y: float, unit: str, top: float | None = None) -> str:
    """Ticks below y; grid lines up to `top`."""
    shapes = [line(scale.start, y, scale.end, y, "axis")]
    for value in ticks(scale.low, scale.high):
        x = scale.at(value)
        if top is not None:
            shapes.append(line(x, top, x, y, "grid"))
        shapes.append(text(x, y + 15, told(value), "tick", "middle"))
    shapes.append(text(scale.end, y + 29, unit, "unit", "end"))
    return "".join(shapes)


def axis_y(scale: Scale, x: float, end: float, unit: str, most: int = 4) -> str:
    """Ticks left of x; grid lines to `end`."""
    shapes = []
    for value in ticks(scale.low, scale.high, most):
        y = scale.at(value)
        shapes.append(line(x, y, end, y, "grid"))
        shapes.append(text(x - 6, y + 3.5, told(value), "tick", "end"))
    shapes.append(text(x - 6, scale.end - 8, unit, "unit", "end"))
    return "".join(shapes)
