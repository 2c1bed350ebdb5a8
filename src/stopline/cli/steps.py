"""A bar for work of many stages, on standard error where somebody looks at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn


@contextmanager
def steps(begins: str) -> Iterator[Callable[[str, float], None]]:
    """Call what it gives with what is being done, and how much of that is: 0 to 1."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(begins, total=1.0)

        def on_step(text: str, done: float) -> None:
            progress.update(task, description=text, completed=done)

        yield on_step
