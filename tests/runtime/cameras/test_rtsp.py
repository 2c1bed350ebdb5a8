"""A real RTSP camera that goes away, is replaced by something worse, and comes back."""

import os
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stopline.runtime.frame import CameraState, Result
from stopline.runtime.pipeline import Pipeline
from tests.runtime.clips import Slow, until

pytestmark = pytest.mark.journey

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
GONE_S = 4.0


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    """Skip by name where GStreamer's RTSP server is not installed."""
    ask = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if not Path(SYSTEM_PYTHON).exists() or subprocess.run([SYSTEM_PYTHON, "-c", ask]).returncode:
        pytest.skip(
            "no GStreamer RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi"
        )


@contextmanager
def rtsp_camera(port: int, size: str) -> Iterator[None]:
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


@dataclass
class Watched:
    """Everything a pipeline says of one camera, with the time at which it is said."""

    pipeline: Pipeline
    results: list[tuple[float, Result]] = field(default_factory=list)

    def watch(self) -> None:
        for result in self.pipeline:
            self.results.append((time.monotonic(), result))

    def live_since(self, when_s: float) -> float | None:
        """How long after that the first frame was told; None before there is one."""
        told = (at for at, result in list(self.results) if at > when_s and result.frame)
        first = next(told, None)
        return None if first is None else first - when_s

    def check(self, gone: float, back: float) -> None:
        """Nothing was shown that the camera did not see at that moment."""
        silent = [(at - gone, r.state) for at, r in self.results if gone + 0.2 < at < back]
        assert [state for _, state in silent] == [CameraState.STALE, CameraState.LOST]
        assert silent[-1][0] < 2
        returned = self.live_since(back)
        assert returned is not None
        assert returned < 3
        assert max(result.age_ms or 0 for _, result in self.results) < 500
        frames = [result.frame for _, result in self.results if result.frame]
        assert {frame.image.shape for frame in frames} == {(240, 320, 3), (480, 640, 3)}
        assert min(float(frame.image.mean()) for frame in frames) > 230, "shown without a key frame"
        indices = [frame.index for frame in frames]
        assert indices == sorted(set(indices))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only their number matters


@pytest.mark.parametrize("meanwhile", [nothing_there, silence, garbage])
def test_a_camera_that_comes_back_is_live_again(
    meanwhile: Callable[[int], AbstractContextManager[None]],
) -> None:
    port = free_port()
    with ExitStack() as opened:
        with rtsp_camera(port, "320x240"):
            pipeline = opened.enter_context(Pipeline(Slow(), f"rtsp://127.0.0.1:{port}/road"))
            watched = Watched(pipeline)
            watcher = threading.Thread(target=watched.watch)
            watcher.start()
            until(lambda: len(watched.results) > 30, within_s=15)
            before = (threading.active_count(), open_files())
        gone = time.monotonic()
        with meanwhile(port):
            time.sleep(GONE_S)
        with rtsp_camera(port, "640x480"):
            back = time.monotonic()
            until(lambda: watched.live_since(back) is not None, within_s=15)
            until(lambda: threading.active_count() <= before[0], within_s=15)
            until(lambda: open_files() <= before[1], within_s=5)
            pipeline.stop()
            watcher.join()
    watched.check(gone, back)
    [report] = pipeline.reports()
    assert report.connections > 1
    assert report.error is None
