"""What clients cost a run: nothing, however many they are and whatever they do not do."""

import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.view import View
from tests.runtime.clips import grey, until
from tests.runtime.sinks.view.shown import ask, live, port_of

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
HERE = Address("127.0.0.1", 0)


def noise() -> Image:
    """What makes a large JPEG."""
    return np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)


def greedy(view: View, path: str) -> socket.socket:
    """A client that asks and asks, and never reads."""
    client = socket.create_connection(("127.0.0.1", port_of(view)))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 20)
    return client


def descriptors() -> int:
    """Open in this process, which is client and server."""
    return len(list(Path("/proc/self/fd").iterdir()))


def rss_mib() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def fed_us(view: View, seconds: float) -> list[float]:
    """Thirty images a second; how long the view took for each, in microseconds."""
    image, took, until_s = noise(), [], time.monotonic() + seconds
    while time.monotonic() < until_s:
        result = live(image)
        began_ns = time.perf_counter_ns()
        view.write(result)
        took.append((time.perf_counter_ns() - began_ns) / 1e3)
        time.sleep(1 / 30)
    return sorted(took)


def test_clients_that_never_read_cost_those_who_detect_nothing_and_are_cut_off(view: View) -> None:
    fed_us(view, 0.2)
    ask(view, "/news")
    time.sleep(0.3)  # until that connection is over on both sides
    before_mib, before = rss_mib(), descriptors()
    clients = [greedy(view, path) for path in ("/mjpeg/0", "/news", "/mjpeg/0", "/news")]
    took = fed_us(view, 3)
    grown_mib = rss_mib() - before_mib
    assert took[len(took) // 2] < 300  # microseconds; an image alone takes ten thousand to encode
    assert len(took) > 60
    # Of each client one answer of half a megabyte waits here; 3 s of images would be 50 MB.
    assert grown_mib < 25
    news, images = ask(view, "/news").news  # whoever reads is served as before
    assert [image["camera"] for image in news["images"]] == [0]
    assert len(images) > 100_000
    until(lambda: descriptors() == before + len(clients), within_s=12)  # theirs are left, not ours
    for client in clients:
        client.close()


def test_too_many_clients_are_told_so_and_those_before_go_on() -> None:
    with View(HERE, ViewSettings(most_clients=4)) as view:
        view.write(live(grey(1)))
        idle = [socket.create_connection(("127.0.0.1", port_of(view))) for _ in range(4)]
        time.sleep(0.2)
        assert ask(view, "/news").status == 503
        for client in idle:
            client.close()
        until(lambda: ask(view, "/news").status == 200)


def test_closing_takes_no_time_whoever_looks() -> None:
    view = View(HERE)
    view.write(live(noise()))
    clients = [greedy(view, "/mjpeg/0"), greedy(view, "/news?have=9")]
    time.sleep(0.5)
    began_s = time.monotonic()
    view.close()
    assert time.monotonic() - began_s < 1
    for client in clients:
        client.settimeout(5)
        with pytest.raises(ConnectionResetError):
            while client.recv(1 << 20):
                pass
            raise ConnectionResetError
        client.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("view")]


def test_a_view_that_cannot_start_leaves_no_socket_behind() -> None:
    with View(HERE) as view, pytest.raises(OSError, match="choose another port"):
        View(Address("127.0.0.1", port_of(view)))
