"""What is seen while training: bars on a terminal, a line now and then in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn

from stopline.train.history import Row


@dataclass
class Bars:
    """One bar for each thing that is done, and one for the steps."""

    console: Console
    progress: Progress
    steps: int
    training: TaskID | None = None

    def task(self, what: str, of: int) -> Callable[[], None]:
        """A bar for `of` things; call what it gives after each."""
        if not self.console.is_terminal:
            self.console.print(f"{what}: {of}", highlight=False)
        bar = self.progress.add_task(what, total=of)
        return lambda: self.progress.advance(bar)

    def report(self, row: Row) -> None:
        """Move the steps on, and say what was measured."""
        if self.training is None:
            self.training = self.progress.add_task("training", total=self.steps)
        step = row["step"]
        self.progress.update(self.training, completed=step or 0)
        if "loss" in row:
            self.progress.update(self.training, description=f"training, loss {row['loss']:.3f}")
        if "AP" in row or not self.console.is_terminal:
            self.console.print(_said(row), highlight=False)


@contextmanager
def bars_on(console: Console, steps: int) -> Iterator[Bars]:
    """Bars that are gone when the block ends."""
    columns = (
        "[progress.description]{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(console, progress, steps)


def _said(row: Row) -> str:
    if "AP" not in row:
        return f"step {row['step']}  loss {row['loss']:.3f}  {row['seconds']:.0f} s"
    classes = [
        f"{name.removeprefix('AP50 ')} {value:.3f}"
        for name, value in row.items()
        if name.startswith("AP50 ") and value is not None
    ]
    return f"step {row['step']}  AP {_figure(row['AP'])}  AP50 {_figure(row['AP50'])}  " + (
        f"({', '.join(classes)})"
    )


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
