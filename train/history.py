"""The figures of a run: a CSV that grows, and a picture of its curves."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stopline.devices.whole_file import write_whole

LEARNING = ("step", "seconds", "lr", "loss", "box", "there", "kind", "l1", "kept")
COLUMNS = (*LEARNING, "AP", "AP50", "AP75", "blend")
Row = Mapping[str, float | int | None]  # None where it was not measured


@dataclass(eq=False)
class History:
    """Rows of `metrics.csv`; `AP50 <class>` columns follow the fixed ones."""

    path: Path
    classes: Sequence[str]
    rows: list[dict[str, float | int | None]] = field(default_factory=list)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header."""
        return (*COLUMNS, *(f"AP50 {name}" for name in self.classes))

    def start(self, rows: Sequence[Row]) -> None:
        """Begin the file with these rows, atomically."""
        self.rows = [dict(row) for row in rows]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns)
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(text.getvalue().encode(), self.path)

    def add(self, row: Row) -> None:
        """Append one row, on disk at once."""
        self.rows.append(dict(row))
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def draw(self, path: Path) -> None:
        """Loss and AP over the steps, as a PNG."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name in ("loss", "box", "there", "kind"):
            left.plot(*self._series(name), label=name)
        for name in ("AP", "AP50"):
            right.plot(*self._series(name), "o-", label=name)
        for name in self.classes:
            right.plot(*self._series(f"AP50 {name}"), ":", label=name)
        left.set(xlabel="step", ylabel="loss", yscale="log")
        right.set(xlabel="step", ylabel="on the validation set", ylim=(0, 1))
        for axes in (left, right):
            axes.legend(fontsize="small")
            axes.grid(alpha=0.3)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=120)
        write_whole(picture.getvalue(), path)

    def _series(self, name: str) -> tuple[list[float], list[float]]:
        points = [(row["step"], row.get(name)) for row in self.rows]
        known = [(step, value) for step, value in points if step is not None and value is not None]
        return [step for step, _ in known], [value for _, value in known]


def read_rows(path: Path) -> list[dict[str, float | int | None]]:
    """The rows of a `metrics.csv`; none where there is no file yet."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> float | int | None:
    if not text:
        return None
    return int(text) if text.isdigit() else float(text)
