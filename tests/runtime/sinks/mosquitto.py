"""A real MQTT broker, and somebody who listens to it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.runtime.clips import until

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Mosquitto:
    """It keeps its port when it is killed and started again."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        if MOSQUITTO is None:
            pytest.skip("no mosquitto: `apt install mosquitto` brings it")
        self.port = free_port()
        self._settings = folder / "mosquitto.conf"
        # As root it would become the user mosquitto, who cannot read a test's files.
        self._settings.write_text(f"listener {self.port} 127.0.0.1\nuser root\n{settings}\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: answers(self.port))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def mosquitto(folder: Path, settings: str = "allow_anonymous true") -> Iterator[Mosquitto]:
    """It runs until the end of the block."""
    broker = Mosquitto(folder, settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


class Listener:
    """Subscribes to everything, and does so anew when the broker is back."""

    def __init__(self, port: int, user: str | None = None, password: str | None = None) -> None:
        self.heard: list[tuple[str, str, bool]] = []  # topic, payload, whether it was retained
        self.listening = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        if user is not None:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *told: self.listening.set()
        self._client.on_message = self._hear
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def of(self, topic: str) -> list[str]:
        """What was said there, in its order."""
        return [payload for said, payload, _ in self.heard if said == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, client: Client, *told: Any) -> None:
        client.subscribe("#", qos=1)

    def _hear(self, client: Client, data: Any, message: Any) -> None:
        self.heard.append((message.topic, message.payload.decode(), message.retain))


@contextmanager
def listening(
    port: int, user: str | None = None, password: str | None = None
) -> Iterator[Listener]:
    """It hears everything that is said in the block."""
    listener = Listener(port, user, password)
    try:
        assert listener.listening.wait(10)
        yield listener
    finally:
        listener.close()
