"""A table on the terminal that shows, while it runs, what each camera sees and how late."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stopline.runtime.cameras.camera import Clock, short_name
from stopline.runtime.closing import Closing
from stopline.runtime.events import Event
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.tally import (
    CameraTally,
    Tally,
    missed_wanted,
    percentile,
    present_lines,
)

LONGEST_NAME = 24  # characters
REFRESH_NS = 250_000_000
STYLES = {
    CameraState.CONNECTING: "cyan",
    CameraState.LIVE: "green",
    CameraState.STALE: "yellow",
    CameraState.LOST: "bold red",
    CameraState.ENDED: "dim",
}
COLUMNS = (
    "camera",
    "state",
    "fps",
    "age p50",
    "age p99",
    "n",
    "dropped",
    "missed",
    "alerts",
    "sees",
)


class LiveTable(Closing):
    """Fills a tally of its own and shows it. It draws when written to: no thread of its own."""

    name = "table"
    wants_images = False

    def __init__(
        self, tally: Tally, console: Console | None = None, clock: Clock = time.monotonic_ns
    ) -> None:
        """Put the table on the terminal. Nobody else may write to its tally."""
        self._tally = tally
        self._clock = clock
        self._next_ns = 0
        console = console or Console(stderr=True)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def write(self, result: Result) -> None:
        """Count, and draw again at most four times a second."""
        self._tally.write(result)
        self._draw_if_due()

    def tell(self, event: Event) -> None:
        """The same."""
        self._tally.tell(event)
        self._draw_if_due()

    def close(self) -> None:
        """Take the table off the terminal."""
        self._live.stop()

    def _draw_if_due(self) -> None:
        now_ns = self._clock()
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + REFRESH_NS
            self._live.update(table_of(self._tally), refresh=True)


def table_of(tally: Tally) -> Group:
    """One row for each camera, and below it what the whole run suffers from."""
    table = Table(box=None)
    hidden = _hidden(tally)
    for column in COLUMNS:
        if column not in hidden:
            table.add_column(column)
    for name, camera in tally.cameras.items():
        cells = (short_name(name, LONGEST_NAME), *_cells(camera))
        told = [cell for cell, column in zip(cells, COLUMNS, strict=True) if column not in hidden]
        table.add_row(*told, style=STYLES[camera.state])
    return Group(table, *(Text(line, style="bold yellow") for line in present_lines(tally)))


def _hidden(tally: Tally) -> set[str]:
    """Columns of what nobody asked for and nothing happened of."""
    alerts = any(camera.alerts for camera in tally.cameras.values())
    return ({"alerts"} if not alerts else set()) | (
        {"missed"} if not missed_wanted(tally) else set()
    )


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
        str(camera.missed),
        str(sum(camera.alerts.values())),
        sees,
    )


def shown(value: float | None, unit: str = "") -> str:
    """A number for people; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}{unit}"  # noqa: RUF001 - a dash, not a minus
