"""Results for a view, and questions to it."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.view.view import View

NAMES = ("person", "stop sign")


def live(image: Image, camera: str = "front", captured_ns: int | None = None) -> Result:
    """A stop sign in the upper left quarter of the image, seen 5 ms ago."""
    height, width = image.shape[:2]
    box = np.array([[0, 0, width / 2, height / 2]], np.float32)
    found = Detections(box, np.array([0.9], np.float32), np.array([1]), NAMES, np.array([7]))
    captured_ns = time.monotonic_ns() - 5_000_000 if captured_ns is None else captured_ns
    frame = Frame(camera, 0, captured_ns, image)
    stages_ns = {"engine": 4_000_000, "publish": 1_000_000}
    return Result(camera, CameraState.LIVE, frame, found, 5_000_000, stages_ns=stages_ns)


def dead(state: CameraState = CameraState.LOST, camera: str = "front", dropped: int = 0) -> Result:
    """A change of state."""
    return Result(camera, state, None, Detections.none(NAMES), dropped=dropped)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def news(self) -> tuple[dict[str, Any], bytes]:
        """The JSON, and the images behind it."""
        length = int.from_bytes(self.body[:4], "big")
        return json.loads(self.body[4 : 4 + length]), self.body[4 + length :]


def port_of(view: View) -> int:
    """Where it listens."""
    port = urlsplit(view.url).port
    assert port is not None
    return port


def ask(
    view: View,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """One request, as written: nothing in it is made more correct."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(view), timeout=10)
    try:
        connection.putrequest(method, path, skip_host=headers is not None and "Host" in headers)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()
