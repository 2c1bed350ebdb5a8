"""`--json FILE`: the report for machines, and where people read then."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from stopline.devices.whole_file import write_whole

STDOUT = Path("-")
WIDE = 240  # columns of a log or a pipe, which has no edge at which to cut a table off


def given(report: Any, where: Path | None) -> Console:
    """Write the report where it was wanted, and give the console for people.

    That is stderr if stdout is the machine's. Raises OSError if it cannot be written.
    """
    if where is not None:
        encoded = msgspec.json.format(msgspec.json.encode(report), indent=2)
        if where == STDOUT:
            click.echo(encoded)
        else:
            write_whole(encoded + b"\n", where)
    console = Console(stderr=where == STDOUT, highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    return console
