"""What every sink is."""

from typing import Protocol

from stopline.runtime.events import Event
from stopline.runtime.frame import Result


class Sink(Protocol):
    """Takes what a run gives, in order.

    Either method may raise OSError for what it could not write: nothing of it is written then,
    and the next call tries anew.
    """

    name: str  # what its troubles and counters are called by
    wants_images: bool  # whether it looks at `result.frame.image`; most need not keep it alive

    def write(self, result: Result) -> None:
        """Of one result."""

    def tell(self, event: Event) -> None:
        """Of one event."""

    def close(self) -> None:
        """Finish what was written."""
