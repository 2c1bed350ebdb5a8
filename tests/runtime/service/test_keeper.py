"""What systemd hears, on a real socket: ready, alive while work goes on, reloading, stopping."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from stopline.runtime.service.keeper import Keeper
from stopline.runtime.service.notify import Systemd


class Manager:
    """The receiving end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(2)

    def heard(self) -> str:
        return self._socket.recv(4096).decode()

    def heard_within(self, seconds: float) -> list[str]:
        until = time.monotonic() + seconds
        messages = []
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                messages.append(self.heard())
            except TimeoutError:
                break
        return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def systemd(manager: Manager, watchdog_s: float | None = None) -> Systemd:
    environment = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_PID": str(os.getpid())}
    if watchdog_s is not None:
        environment["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
    return Systemd(environment)


def keeper(
    tells: Systemd, turns: Callable[[], int], reload: Callable[[], None] = lambda: None
) -> Keeper:
    return Keeper(tells, turns, lambda: "1 of 1 camera LIVE", reload)


def test_a_run_is_ready_then_alive_then_stopping(manager: Manager) -> None:
    turns = count()
    with keeper(systemd(manager, watchdog_s=0.9), lambda: next(turns)).start():
        assert manager.heard() == "READY=1\nSTATUS=1 of 1 camera LIVE"
        assert manager.heard() == "WATCHDOG=1\nSTATUS=1 of 1 camera LIVE"
    assert manager.heard_within(0.3)[-1] == "STOPPING=1"


def test_a_loop_that_hangs_is_not_called_alive(manager: Manager) -> None:
    """The control is the test before: with turns, the watchdog hears."""
    with keeper(systemd(manager, watchdog_s=0.9), lambda: 7).start():
        messages = manager.heard_within(1.6)
    assert [message.split("\n")[0] for message in messages] == ["READY=1", "WATCHDOG=1"]


def test_reloading_is_announced_done_in_the_keepers_thread_and_over(manager: Manager) -> None:
    reloaded: list[int] = []
    with keeper(systemd(manager), lambda: 0, lambda: reloaded.append(1)).start() as kept:
        assert manager.heard().startswith("READY=1")
        kept.ask_to_reload()
        assert manager.heard().startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert manager.heard().startswith("READY=1")
    assert reloaded == [1]


def test_nobody_who_listens_is_nobody_who_is_told() -> None:
    Systemd({}).ready("fine")
    Systemd({"NOTIFY_SOCKET": "/nowhere/at/all"}).stopping()


def test_an_abstract_socket_is_reached_too() -> None:
    name = f"stopline-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(2)
        Systemd({"NOTIFY_SOCKET": "@" + name}).stopping()
        assert receiver.recv(64) == b"STOPPING=1"


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_a_watchdog_that_is_off_or_anothers_is_none(environment: dict[str, str]) -> None:
    assert Systemd(environment).watchdog_s is None
