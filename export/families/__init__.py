"""The kinds of detectors whose files can be put in the graph contract. One module for each."""

from typing import NamedTuple

from stopline.export.families.family import Family
from stopline.export.families.fastestdet import FASTESTDET
from stopline.export.families.ultralytics import ULTRALYTICS
from stopline.export.families.yolox import YOLOX
from stopline.export.raw import ExportError, Raw

FAMILIES = (YOLOX, FASTESTDET, ULTRALYTICS)


class Recognised(NamedTuple):
    """A raw file, and what its numbers mean."""

    raw: Raw
    family: Family


def recognised(raw: Raw, name: str | None = None) -> Recognised:
    """Find the family of a raw file; with a name, that one or none.

    Raises ExportError with what was found and what each family wants.
    """
    asked = [family for family in FAMILIES if name in (None, family.name)]
    for family in asked:
        if family.recognises(raw):
            return Recognised(raw, family)
    wants = "; ".join(f"{family.name} gives {family.gives}" for family in asked)
    kind = f"not of the family {name}" if name else "of no known family"
    at = "x".join(map(str, raw.input_hw))
    raise ExportError(f"{raw.name} is {kind}: at {at} it gives {raw.described_outputs()}; {wants}")
