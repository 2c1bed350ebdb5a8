"""What can run a bundle here, as a table for people."""

from rich.table import Table
from rich.text import Text

from stopline.devices.preflight import Preflight


def preflight_table(found: Preflight) -> Table:
    """One row for each backend and precision, the best first."""
    table = Table(box=None, pad_edge=False)
    for name in ("backend", "precision", "runs", "with, or why not"):
        table.add_column(name, overflow="fold")
    for answer in found.answers:
        runs = "yes" if answer.able else "no"
        table.add_row(*map(Text, (answer.backend, answer.precision, runs, answer.why)))
    return table
