"""Endless rows of places that move along the street together, each empty or always the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Stream:
    """Slots `spacing_m` apart that move together along z."""

    number: int
    x: float
    speed_mps: float  # along +z
    spacing_m: float
    share: float  # of the slots that are taken

    @property
    def heading(self) -> float:
        return 0.0 if self.speed_mps > 0 else float(np.pi)

    def slots(self, t_s: float, z0: float, z1: float) -> Iterator[tuple[int, float]]:
        """Number and z of every slot now between z0 and z1."""
        moved = self.speed_mps * t_s
        first = int(np.ceil((z0 - moved) / self.spacing_m))
        last = int(np.floor((z1 - moved) / self.spacing_m))
        for slot in range(first, last + 1):
            yield slot, slot * self.spacing_m + moved
