"""Where the time goes: the stages of an answer one after the other, and the layers of a model."""

from stopline.devices.latency.figures import Figures
from stopline.devices.latency.page.svg import Scale, axis_x, line, rect, svg, text
from stopline.devices.latency.report import Layers

WIDTH, LEFT, RIGHT, TOP, ROW = 560.0, 104.0, 486.0, 34.0, 27.0
NAMES = 210.0  # left of the layers' bars
MOST = 14
LONGEST = 30  # letters of a layer's name
BESIDE = "sinks"  # after publication: no part of the age


def waterfall(stages: dict[str, Figures]) -> str:
    """Means, each beginning where the one before ends: together they are the age of an answer."""
    known = {name: one for name, one in stages.items() if one.mean_ms is not None}
    if not known:
        return ""
    whole = sum(one.mean_ms or 0.0 for one in known.values())
    x = Scale(0, whole, LEFT, RIGHT)
    shapes, at_ms = [text(0, 16, "Stages, mean of each", "title")], 0.0
    bottom = TOP + len(known) * ROW
    shapes.append(axis_x(x, bottom, "ms", TOP))
    for nth, (name, one) in enumerate(known.items()):
        mean, y = one.mean_ms or 0.0, TOP + nth * ROW
        kind = "beside" if name == BESIDE else "bar"
        shapes.append(text(LEFT - 8, y + 17, name, "name", "end"))
        shapes.append(rect((x.at(at_ms), y + 5), (max(1.5, x.at(mean) - LEFT), ROW - 10), kind))
        shapes.append(line(x.at(at_ms + mean), y + 5, x.at(at_ms + mean), y + ROW + 5, "join"))
        shapes.append(text(WIDTH - 4, y + 17, f"{mean:.2f} ms", "value", "end"))
        at_ms += mean
    return svg(WIDTH, bottom + 36, *shapes, label="stages of an answer, as a waterfall")


def layer_bars(layers: Layers) -> str:
    """Those that take most; what only lays data out anew in another colour."""
    shown = layers.layers[:MOST]
    if not shown:
        return ""
    x = Scale(0, max(one.share for one in shown) * 100, NAMES, RIGHT)
    rest = sum(one.share for one in layers.layers[MOST:])
    shapes = [text(0, 16, f"Layers by {layers.tool}, share of the engine", "title")]
    bottom = TOP + len(shown) * (ROW - 4)
    shapes.append(axis_x(x, bottom, "%", TOP))
    for nth, one in enumerate(shown):
        y = TOP + nth * (ROW - 4)
        name = one.name if len(one.name) <= LONGEST else f"…{one.name[1 - LONGEST :]}"
        kind = "reformat" if one.reformat else "bar"
        shapes.append(text(NAMES - 8, y + 15, name, "name", "end"))
        shapes.append(
            rect(
                (NAMES, y + 4),
                (x.at(100 * one.share) - NAMES, ROW - 11),
                kind,
                f"{one.kind}: {one.name}",
            )
        )
        shapes.append(text(WIDTH - 4, y + 15, f"{one.ms:.3f} ms", "value", "end"))
    note = f"{len(layers.layers) - len(shown)} others {rest:.0%}" if rest else ""
    shapes.append(text(0, bottom + 30, note, "unit"))
    return svg(WIDTH, bottom + 36, *shapes, label="layers that take most")
