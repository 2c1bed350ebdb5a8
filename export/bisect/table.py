"""A parting as tables: where the graphs part, and whose noise it is."""

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from stopline.export.bisect.parting import Compared, Parting, decibels

MOST = 12  # rows; the first few are what one looks at


def table(parting: Parting) -> Group:
    """What parts, if anything does, and the layers that contribute most."""
    tables = []
    if parting.parted:
        tables.append(_parted(parting))
    if parting.contributions:
        tables.append(_contributions(parting))
    return Group(*tables)


def layers_table(parting: Parting) -> Table:
    """Every tensor that was compared, in the order in which they compute."""
    return _rows("every tensor, in order", parting.compared)


def _parted(parting: Parting) -> Table:
    count = len(parting.parted)
    title = (
        f"{count} of {len(parting.compared)} tensors have more noise of their own than they should"
    )
    return _rows(title, parting.parted[:MOST])


def _rows(title: str, compared: tuple[Compared, ...]) -> Table:
    found = _table(title, left=("layer", "kind", "precision"))
    for heading in ("own", "worst channel", "gain", "in all"):
        found.add_column(heading, justify="right", no_wrap=True)
    for each in compared:
        channel = f"{each.own_channel}: {decibels(each.own_channel_db)}"
        gain = f"{each.own_gain_channel}: {each.own_gain:.2f}"
        ends = (decibels(each.own_db), channel, gain, decibels(each.db))
        found.add_row(each.place, each.op, each.precision, *ends)
    return found


def _contributions(parting: Parting) -> Table:
    found = _table(
        "what each layer's own noise does to the answer, all else being exact",
        left=("layer", "precision"),
    )
    for heading in ("share", "scores", "boxes"):
        found.add_column(heading, justify="right", no_wrap=True)
    for each in parting.contributions[:MOST]:
        ends = (f"{each.share:.1%}", decibels(each.scores_db), f"{each.boxes_px:.2g} px")
        found.add_row(each.place, each.precision, *ends)
    rest = parting.contributions[MOST:]
    if rest:
        share = sum(each.share for each in rest)
        found.add_row(f"{len(rest)} others", "", f"{share:.1%}", "", "")
    return found


def _table(title: str, left: tuple[str, ...]) -> Table:
    padding = (0, 1, 0, 0)  # so that a terminal of 80 columns holds the figures
    found = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=padding, pad_edge=False
    )
    for heading in left:
        found.add_column(heading, overflow="fold")
    return found
