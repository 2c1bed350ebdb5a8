"""The thread that looks after a run: answers the watchdog, and reads the rules again when asked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from stopline.runtime.closing import Closing
from stopline.runtime.service.notify import Systemd

LOOK_EVERY_S = 0.25


@dataclass
class Keeper(Closing):
    """`turns` counts how often the run's loop came round: only if it does are we alive.

    `reload` is called in this thread after `ask_to_reload`, which a signal handler may call.
    """

    systemd: Systemd
    turns: Callable[[], int]
    status: Callable[[], str]
    reload: Callable[[], None]
    _asked: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> "Keeper":
        """Say that the run is ready, and look after it from now on."""
        self.systemd.ready(self.status())
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()
        return self

    def ask_to_reload(self) -> None:
        """Soon."""
        self._asked.set()

    def close(self) -> None:
        """Say that the run stops; what was not reloaded by now is not."""
        self.systemd.stopping()
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        seen = -1
        until_alive_s = 0.0
        while not self._over.wait(LOOK_EVERY_S):
            if self._asked.is_set():
                self._asked.clear()
                self.systemd.reloading()
                self.reload()
                self.systemd.ready(self.status())
            if self.systemd.watchdog_s is None:
                continue
            until_alive_s -= LOOK_EVERY_S
            if until_alive_s <= 0 and self.turns() != seen:
                seen = self.turns()
                self.systemd.alive(self.status())
                # Three times within the limit: one late look must not end a run that is alive.
                until_alive_s = self.systemd.watchdog_s / 3
