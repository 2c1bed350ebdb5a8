"""Where two variants of a graph part, and which layers they owe their noise to."""

from stopline.export.bisect.bundles import Side, laid, parted_bundles
from stopline.export.bisect.compare import BisectSettings, part
from stopline.export.bisect.parting import Compared, Contribution, Parting
from stopline.export.bisect.picture import picture
from stopline.export.bisect.table import layers_table, table

__all__ = [
    "BisectSettings",
    "Compared",
    "Contribution",
    "Parting",
    "Side",
    "laid",
    "layers_table",
    "part",
    "parted_bundles",
    "picture",
    "table",
]
