"""What systemd is told: that we are ready, alive, reloading, stopping (sd_notify(3)).

Our own: it is one datagram, the one pure-Python package for it has not been kept since 2017, and
the others need a compiler on the board.
"""

import os
import time
from collections.abc import Mapping


class Systemd:
    """The service manager that started us, or nobody: then every message goes nowhere."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # "@" is how the environment writes the null byte of an abstract socket.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment)

    def ready(self, status: str) -> None:
        """All is open; `status` is what `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """Not to be called by a timer alone: only by what has seen that work goes on."""
        self._send(f"WATCHDOG=1\nSTATUS={status}")

    def reloading(self) -> None:
        """To be followed by `ready`."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """From here on silence is no failure."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        import socket  # a run that nobody manages need not load it

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(message.encode(), self._address)
            except OSError:  # a manager that does not listen must not stop what it started
                return


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Within what time it wants to hear that we live; None if it does not, or means another."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    of_pid = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or int(microseconds) == 0 or of_pid != str(os.getpid()):
        return None
    return int(microseconds) / 1e6
