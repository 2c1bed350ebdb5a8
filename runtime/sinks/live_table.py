"""A table on the terminal that shows, while it runs, what each camera sees and how late."""

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

from stopline.runtime.cameras.camera import Clock, short_name
from stopline.runtime.closing import Closing
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.tally import CameraTally, Tally, percentile

LONGEST_NAME = 24  # characters
REFRESH_NS = 250_000_000
STYLES = {
    CameraState.CONNECTING: "cyan",
    CameraState.LIVE: "green",
    CameraState.STALE: "yellow",
    CameraState.LOST: "bold red",
    CameraState.ENDED: "dim",
}
COLUMNS = ("camera", "state", "fps", "age p50", "age p99", "n", "dropped", "sees")


class LiveTable(Closing):
    """Shows a tally that others fill. It draws when written to: no thread of its own."""

    def __init__(
        self, tally: Tally, console: Console | None = None, clock: Clock = time.monotonic_ns
    ) -> None:
        """Put the table on the terminal."""
        self._tally = tally
        self._clock = clock
        self._next_ns = 0
        console = console or Console(stderr=True)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def write(self, result: Result) -> None:
        """Draw again, at most four times a second."""
        now_ns = self._clock()
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + REFRESH_NS
            self._live.update(table_of(self._tally), refresh=True)

    def close(self) -> None:
        """Take the table off the terminal."""
        self._live.stop()


def table_of(tally: Tally) -> Table:
    """One row for each camera."""
    table = Table(*COLUMNS, box=None)
    for name, camera in tally.cameras.items():
        table.add_row(short_name(name, LONGEST_NAME), *_cells(camera), style=STYLES[camera.state])
    return table


def _cells(camera: CameraTally) -> tuple[str, ...]:
    """What a camera that is not LIVE saw before is not shown as what it sees."""
    sees = ", ".join(f"{count} {name}" for name, count in camera.now.most_common())
    ages = list(camera.ages_ms)
    return (
        camera.state.value,
        shown(camera.fps if camera.state is CameraState.LIVE else None),
        shown(percentile(ages, 0.5), " ms"),
        shown(percentile(ages, 0.99), " ms"),
        str(len(ages)),
        str(camera.dropped),
        sees,
    )


def shown(value: float | None, unit: str = "") -> str:
    """A number for people; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}{unit}"  # noqa: RUF001 - a dash, not a minus
