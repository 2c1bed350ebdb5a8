"""What the page costs a run: the time of each result, and the processor, by who looks.

    OMP_NUM_THREADS=1 python benchmarks/view_cost.py

30 images of 1280x720 a second for eight seconds each; clients are processes of their own.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sim import Road, RoadSettings
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.tally import percentile
from stopline.runtime.sinks.view.view import View

SECONDS, FPS = 8, 30
CLIENT = """
import http.client, json, sys, time
server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
since = have = images = size = 0
until = time.time() + float(sys.argv[2])
while time.time() < until:
    server.request("GET", f"/news?since={since}&have={have}")
    body = server.getresponse().read()
    news = json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])
    since = news["sent_ms"]
    for image in news["images"]:
        have, images, size = image["number"], images + 1, size + image["size"]
print(f"{images / float(sys.argv[2]):.1f} images/s of {size / images / 1e3:.0f} kB")
"""


def port_of(view: View) -> int:
    """Where it listens."""
    return urlsplit(view.url).port or 80


@contextmanager
def looking(view: View, clients: int) -> Iterator[None]:
    """As the page does."""
    command = [sys.executable, "-c", CLIENT, str(port_of(view)), str(SECONDS)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(clients)]
    yield
    for client in started:
        print("   ", client.communicate()[0].decode().strip())


@contextmanager
def not_reading(view: View, clients: int) -> Iterator[None]:
    """They ask and ask, and never read."""
    opened = []
    for nth in range(clients):
        client = socket.create_connection(("127.0.0.1", port_of(view)))
        path = ("/news", "/mjpeg/0")[nth % 2]
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 20)
        opened.append(client)
    yield
    for client in opened:
        client.close()


def feed(view: View, image: Image, who: str) -> None:
    """Print what it took."""
    took_us, nothing = [], Detections.none(("car",))
    cpu_s, began_s = time.process_time(), time.monotonic()
    for nth in range(SECONDS * FPS):
        time.sleep(max(0, began_s + nth / FPS - time.monotonic()))
        frame = Frame("front", nth, time.monotonic_ns(), image)
        result = Result("front", CameraState.LIVE, frame, nothing, 1, stages_ns={"engine": 1})
        start_ns = time.perf_counter_ns()
        view.write(result)
        took_us.append((time.perf_counter_ns() - start_ns) / 1e3)
    cpu = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
    half, most = percentile(took_us, 0.5), percentile(took_us, 0.99)
    print(f"{who}: p50 {half:.0f} us, p99 {most:.0f} us (n={len(took_us)}), {cpu:.1%} of a core")


def main() -> None:
    """One view after the other kind of client."""
    cv2.setNumThreads(1)
    image = np.ascontiguousarray(Road(RoadSettings(seed=5)).view(2.0).image)
    with View(Address("127.0.0.1", 0)) as view:
        feed(view, image, "nobody")
        for clients in (1, 4):
            with looking(view, clients):
                feed(view, image, f"{clients} looking")
        with not_reading(view, 8):
            feed(view, image, "8 that never read")


if __name__ == "__main__":
    main()
