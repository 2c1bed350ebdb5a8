"""The tables and remarks of `stopline eval`."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from stopline.devices.coco import CocoSet
from stopline.devices.evaluation import Evaluation

WEAK = 100  # boxes; below, one box more or less found moves a figure by over .01
FEW = 12  # names in a line


def figures(evaluation: Evaluation) -> Table:
    """Per class and their mean; P and R are precision and recall at the score it is used at."""
    table = _table(
        f"{evaluation.dataset}, {evaluation.images} images: "
        f"{evaluation.variant} on {evaluation.backend}"
    )
    at = f"@{evaluation.score:g}"
    for heading in ("class", "boxes", "AP", "AP50", "95 %", "AP75", "recall", f"P{at}", f"R{at}"):
        left = heading == "class"
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for name, one in evaluation.classes.items():
        interval = _range(one.AP50_interval)
        rest = (one.AP75, one.recall, one.precision_at_score, one.recall_at_score)
        row = [name, str(one.boxes), _figure(one.AP), _figure(one.AP50), interval]
        table.add_row(*row, *(_figure(value) for value in rest))
    table.add_section()
    mean = [_figure(evaluation.AP), _figure(evaluation.AP50), _range(evaluation.AP50_interval)]
    table.add_row("mean", "", *mean, _figure(evaluation.AP75))
    return table


def confusion(evaluation: Evaluation) -> Table:
    """Rows what is there, columns what was found; classes that are neither are left out."""
    counts = evaluation.confusion
    shown = [index for index in range(len(counts)) if counts[index].any() or counts[:, index].any()]
    names = [*evaluation.classes, "nothing"]
    table = _table(f"what is there, and as what it was found at score {evaluation.score:g}")
    table.add_column("")
    for index in shown:
        heading = str(index + 1) if index < len(counts) - 1 else "missed"
        table.add_column(heading, justify="right", no_wrap=True)
    for index in shown:
        number = f"{index + 1} " if index < len(counts) - 1 else ""
        row = counts[index, shown].tolist()
        table.add_row(f"{number}{names[index]}", *(str(count) if count else "·" for count in row))
    return table


def _table(title: str) -> Table:
    padding = (0, 1, 0, 0)  # so that a terminal of 80 columns holds the figures
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=padding, pad_edge=False
    )


def remarks(evaluation: Evaluation, coco_set: CocoSet) -> list[str]:
    """What the figures do not say of themselves."""
    boxes = {name: one.boxes for name, one in evaluation.classes.items()}
    lines = [
        (
            f"weak, of fewer than {WEAK} boxes",
            [n for n, count in boxes.items() if 0 < count < WEAK],
        ),
        (
            "no box in the set, so no part of the mean",
            [n for n, count in boxes.items() if not count],
        ),
        ("unknown to the detector, so no part of the mean", evaluation.of_set_only),
        ("not labelled in the set, so not judged", evaluation.of_detector_only),
    ]
    said = [f"{what}: {_few(names)}" for what, names in lines if names]
    for name, one in evaluation.positive_only.items():
        images = "images that may hold more of them"
        said.append(f"{name}: recall {one.recall:.3f} of {one.boxes} boxes in {images}")
    if coco_set.empty_boxes:
        said.append(f"boxes left out because they cover nothing: {coco_set.empty_boxes}")
    return said


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + rest


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.2f}-{interval[1]:.2f}"
