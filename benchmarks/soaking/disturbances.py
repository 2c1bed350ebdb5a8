"""What happens to a soaked run: cameras, brokers and watchers that come and go."""

import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stopline.runtime.closing import Closing

RTSP_SERVER = Path(__file__).parents[2] / "tests" / "runtime" / "cameras" / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
RESULTS = "stopline_results_total"


class Ports(NamedTuple):
    """On loopback."""

    rtsp: int
    mqtt: int
    metrics: int
    view: int

    @classmethod
    def free(cls) -> "Ports":
        """None of them in use, yet."""
        holders = [socket.create_server(("127.0.0.1", 0)) for _ in cls._fields]
        ports = cls(*(holder.getsockname()[1] for holder in holders))
        for holder in holders:
            holder.close()
        return ports


class Disturbances(Closing):
    """`at(second, process)` does what is due then."""

    def __init__(self, work: Path, ports: Ports) -> None:
        self.done: Counter[str] = Counter()
        self.absent: list[str] = []
        self._work = work
        self._ports = ports
        self._results: list[float] = []  # as scraped, one after another
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self._start("camera")
        self._start("broker")

    @property
    def went_on(self) -> bool:
        """Whether there were more results at every scrape than at the one before."""
        later = self._results[1:]
        return len(later) > 1 and all(a < b for a, b in zip(self._results, later, strict=False))

    def at(self, second: int, process: "subprocess.Popen[bytes]") -> None:
        """The periods have no common factor with each other's starts: all mixtures come up."""
        if second % 40 == 25:
            self._stop("camera")
        if second % 40 == 30:
            self._start("camera")
        if second % 60 == 42:
            self._stop("broker")
        if second % 60 == 46:
            self._start("broker")
        if second % 15 == 12:
            process.send_signal(signal.SIGHUP)
            self.done["rules read again"] += 1
        if second % 10 == 9:
            self._scrape()
        if second % 20 == 14:
            threading.Thread(target=self._look, daemon=True).start()

    def close(self) -> None:
        """End what was started."""
        for what in list(self._servers):
            self._stop(what)

    def _start(self, what: str) -> None:
        commands = {
            "camera": [SYSTEM_PYTHON, str(RTSP_SERVER), str(self._ports.rtsp), "320x192", "5"],
            "broker": ["mosquitto", "-p", str(self._ports.mqtt)],
        }
        try:
            silent = subprocess.DEVNULL
            server = subprocess.Popen(commands[what], stdout=silent, stderr=silent)
        except FileNotFoundError:
            self.absent.append(what)
            return
        self._servers[what] = server

    def _stop(self, what: str) -> None:
        server = self._servers.pop(what, None)
        if server is None:
            return
        if server.poll() is not None:
            self.absent.append(what)
            return
        server.kill()
        server.wait()
        self.done[f"{what} killed"] += 1

    def _scrape(self) -> None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._ports.metrics}/metrics", timeout=5
            ) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            self.done["scrapes that failed"] += 1
            return
        self._results.append(
            sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(RESULTS))
        )
        self.done["scraped"] += 1

    def _look(self) -> None:
        """At the page's stream for a while, and go without a word."""
        received = 0
        with (
            suppress(OSError),  # a page that answers nothing was not watched, which is told
            socket.create_connection(("127.0.0.1", self._ports.view), 5) as viewer,
        ):
            viewer.sendall(b"GET /mjpeg/0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            until = time.monotonic() + 4
            while time.monotonic() < until and (more := len(viewer.recv(65536))):
                received += more
        self.done["page watched" if received > 20_000 else "page that showed nothing"] += 1
