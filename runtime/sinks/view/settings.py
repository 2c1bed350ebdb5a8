"""What the page shows, and at what cost."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """`most_*` bound what looking costs those who detect."""

    cameras: tuple[str, ...] = ()  # shown before they give anything, in this order
    deadline_s: float | None = None  # drawn in the plots
    clips: Path | None = None  # where the clips of alerts are
    most_fps: float = 15.0  # images of each camera, whoever looks
    most_width: int = 960  # pixels; half of it with more than four cameras
    most_clients: int = 32  # connections; more are answered 503

    def width(self, cameras: int) -> int:
        """Of each image when so many are shown."""
        return self.most_width if cameras <= 4 else self.most_width // 2
