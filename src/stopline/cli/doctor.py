"""`stopline doctor`: what this board is, what is missing, and what to type."""

from pathlib import Path

import click

from stopline.cli.doctor_table import as_json, doctor_table
from stopline.cli.report import given
from stopline.devices.doctor.examination import examine
from stopline.devices.doctor.host import this_host
from stopline.devices.whole_file import refuse_unwritable
from stopline.runtime.bundle import open_bundle


@click.command(name="doctor")
@click.argument("bundle", default="road-nano")
@click.option("--all", "everything", is_flag=True, help="Show what is in order too.")
@click.option("--json", type=click.Path(path_type=Path), help="Write a report; - is stdout.")
def command(bundle: str, everything: bool, json: Path | None) -> int:
    """Look at this board: software, GPU, cameras, memory, power, disk, clock. Changes nothing.

    Each library is run on a tiny graph in a process of its own, and its answer compared. Exits 0 if
    BUNDLE (default: road-nano) could run here, whatever else is amiss.
    """
    if json is not None and json != Path("-"):
        refuse_unwritable(json)
    found = examine(this_host(), open_bundle(bundle))
    console = given(as_json(found), json)
    console.print(doctor_table(found, everything))
    return 0 if found.able else 1
