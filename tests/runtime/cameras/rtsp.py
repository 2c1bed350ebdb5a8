"""RTSP cameras for the tests, what may stand in their place, and who watches them."""

import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
WATCH = Path(__file__).with_name("watch.py")


@dataclass(frozen=True, slots=True)
class Reader:
    """A Python with an OpenCV of its own."""

    python: str
    environment: dict[str, str]

    def run(self, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """That code, to its end."""
        command = [self.python, "-c", code, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )


@dataclass
class Watched:
    """What a pipeline in another process says of one camera."""

    process: "subprocess.Popen[str]"
    said: list[dict[str, Any]] = field(default_factory=list)

    def follow(self) -> None:
        """Note every line, to the last."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    @property
    def results(self) -> list[dict[str, Any]]:
        """Every result so far."""
        return [one for one in list(self.said) if "state" in one]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Those with a frame."""
        return [one for one in self.results if "index" in one]

    @property
    def report(self) -> dict[str, Any]:
        """How the camera fared; said last."""
        return self.said[-1]

    def held(self) -> int:
        """Threads and files that the process had at its last result."""
        return int(self.results[-1]["threads"] + self.results[-1]["files"])

    def most_held(self) -> int:
        """The most of them so far."""
        return max(int(one["threads"] + one["files"]) for one in self.results)

    def live_after(self, when_s: float) -> float | None:
        """How long after that the first frame was told; None before there is one."""
        return next((one["at"] - when_s for one in self.frames if one["at"] > when_s), None)


@contextmanager
def watching(reader: Reader, source: str) -> Iterator[Watched]:
    """A pipeline over that source; at the end of the block it stops and everything is said."""
    command = [reader.python, str(WATCH), source]
    pipe = subprocess.PIPE
    environment = reader.environment
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe) as process:
        watched = Watched(process)
        follower = threading.Thread(target=watched.follow)
        follower.start()
        try:
            yield watched
            assert process.stdin is not None
            process.stdin.close()
            follower.join(10)
            assert not follower.is_alive(), "it does not stop"
        finally:
            process.kill()
            follower.join()


@contextmanager
def rtsp_camera(port: int, size: str = "320x240") -> Iterator[None]:
    """A camera at rtsp://127.0.0.1:PORT/road; killed at the end, as by a power cut."""
    command = [SYSTEM_PYTHON, str(SERVER), str(port), size]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield
        finally:
            server.kill()


@contextmanager
def answering(port: int, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something that accepts every connection on the camera's port and answers in its own way."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        listener.settimeout(0.1)
        over, accepted = threading.Event(), list[socket.socket]()

        def serve() -> None:
            while not over.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                accepted.append(client)
                answer(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        over.set()
        thread.join()
        assert accepted, "nobody tried to connect"
        for client in accepted:
            client.close()


def say_nothing(client: socket.socket) -> None:
    """Keep the line open."""


def say_garbage(client: socket.socket) -> None:
    """Answer whatever is asked with noise."""
    client.sendall(random.Random(0).randbytes(50_000))
    client.close()


def nothing_there(port: int) -> AbstractContextManager[None]:
    return nullcontext()


def silence(port: int) -> AbstractContextManager[None]:
    return answering(port, say_nothing)


def garbage(port: int) -> AbstractContextManager[None]:
    return answering(port, say_garbage)


class Line:
    """A network between camera and reader that can hold back what the camera sends."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def hold(self, seconds: float) -> None:
        """Let nothing through for so long; then everything at once."""
        self._flows.clear()
        time.sleep(seconds)
        self._flows.set()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            camera = socket.create_connection(("127.0.0.1", self._to_port))
            for one, other, held in ((client, camera, False), (camera, client, True)):
                pump = threading.Thread(target=self._pump, args=(one, other, held), daemon=True)
                pump.start()

    def _pump(self, one: socket.socket, other: socket.socket, held: bool) -> None:
        with suppress(OSError), one, other:
            while data := one.recv(65536):
                if held:
                    self._flows.wait()
                other.sendall(data)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
