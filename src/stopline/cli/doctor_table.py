"""The table and the JSON of `stopline doctor`."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from stopline.devices.doctor.examination import Examination
from stopline.devices.doctor.finding import Finding, Severity

# A word for those who do not see the colour.
STYLES: dict[Severity, str] = {
    "ok": "green",
    "note": "",
    "unknown": "dim",
    "warning": "yellow",
    "problem": "bold red",
}
ALWAYS = ("board", "bundle")  # which board it is, and whether it can run, is what was asked


def doctor_table(found: Examination, everything: bool) -> Table:
    """What is to be mended, or all of it; the count of what is not shown stands below."""
    shown = [one for one in found.findings if everything or _is_shown(one)]
    grid = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        caption=_caption(found, len(shown)),
        caption_justify="left",
    )
    for heading in ("", "what", "found", "wanted", "type"):
        grid.add_column(heading, overflow="fold")
    for one in shown:
        what = one.group if one.group == one.name else f"{one.group}: {one.name}"
        cells = (what, one.found, one.wanted or "", one.command or "")
        grid.add_row(Text(one.severity, STYLES[one.severity]), *map(Text, cells))
    return grid


def as_json(found: Examination) -> dict[str, Any]:
    """A fact that is not known is null."""
    board = found.board
    return {
        "able": found.able,
        "board": {
            "machine": board.machine,
            "model": board.model,
            "system": board.system,
            "l4t": board.l4t,
            "jetpack": board.release.jetpack if board.release else None,
            "profile": board.device,
            "packages": board.packages,
        },
        "runs": [asdict(one) for one in found.runs],
        "findings": [asdict(one) for one in found.findings],
    }


def _is_shown(one: Finding) -> bool:
    return one.severity not in ("ok", "note") or one.group in ALWAYS


def _caption(found: Examination, shown: int) -> str:
    counted = Counter(one.severity for one in found.findings)
    told = ", ".join(f"{counted[severity]} {severity}" for severity in STYLES if counted[severity])
    rest = len(found.findings) - shown
    return f"{told}; `--all` shows the other {rest}" if rest else told
