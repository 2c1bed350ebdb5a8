"""A real view on a real port: what it serves is the newest, whole, or nothing."""

import http.client
import threading
import time

import cv2
import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.events import Step
from stopline.runtime.frame import CameraState
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.draw import SLATE
from stopline.runtime.sinks.view.settings import ViewSettings
from stopline.runtime.sinks.view.view import View
from tests.runtime.clips import grey
from tests.runtime.sinks.view.shown import ask, dead, live, port_of

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


def decoded(jpeg: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_the_image_comes_with_the_boxes_of_its_own_frame(view: View) -> None:
    result = live(grey(90, (200, 400)))
    view.write(result)
    news, images = ask(view, "/news").news
    [camera], [image] = news["cameras"], news["images"]
    assert (camera["state"], camera["frames"]) == ("LIVE", 1)
    assert result.frame is not None
    assert image["captured_ms"] == pytest.approx(result.frame.captured_ns / 1e6)
    assert image["found"] == [
        {"box": [0, 0, 0.5, 0.5], "score": 0.9, "name": "stop sign", "kind": 1, "track": 7}
    ]
    assert abs(int(decoded(images).mean()) - 90) <= 2
    assert camera["points"] == [[pytest.approx(news["sent_ms"], abs=500), 5]]
    assert camera["stages_ms"] == {"engine": 4, "publish": 1}


def test_what_the_page_has_is_not_sent_again(view: View) -> None:
    view.write(live(grey(90)))
    first, _ = ask(view, "/news").news
    again, images = ask(view, f"/news?since={first['sent_ms']}&have=1").news
    assert again["images"] == [] == again["cameras"][0]["points"]
    assert images == b""
    for query in ("have=-1", "bytes=0"):
        unwanted, _ = ask(view, f"/news?{query}").news
        assert unwanted["images"] == []


def test_of_many_frames_the_page_gets_the_newest(view: View) -> None:
    for value in range(50):
        view.write(live(grey(value)))
    _, images = ask(view, "/news").news
    assert abs(int(decoded(images).mean()) - 49) <= 1


@pytest.mark.parametrize("state", ["STALE", "LOST", "ENDED"])
def test_nothing_is_shown_of_a_camera_that_is_not_live(view: View, state: str) -> None:
    view.write(live(grey(90)))
    view.write(dead(CameraState(state), dropped=3))
    news, images = ask(view, "/news").news
    [camera] = news["cameras"]
    assert (camera["state"], camera["dropped"], camera["stages_ms"]) == (state, 3, {})
    assert (news["images"], images) == ([], b"")


def test_who_can_take_few_bytes_gets_one_image_and_next_time_another(view: View) -> None:
    for camera in ("front", "rear", "left"):
        view.write(live(grey(90), camera))
    shown = [ask(view, f"/news?bytes=100&first={first}").news[0]["images"] for first in (0, 1, 5)]
    assert [[image["camera"] for image in images] for images in shown] == [[0], [1], [2]]


def test_the_governors_level_is_told_to_whoever_comes_later(view: View) -> None:
    view.tell(Step(at_ns=1, utc="2026-11-24T12:00:00.000Z", level=2, rung="10 fps", why="late"))
    news, _ = ask(view, "/news").news
    assert (news["step"]["level"], news["step"]["rung"]) == (2, "10 fps")
    assert [event["event"] for event in news["events"]] == ["step"]


def test_an_image_comes_as_soon_as_it_is_there(view: View) -> None:
    view.write(live(grey(1)))
    ask(view, "/news")
    timer = threading.Timer(0.1, view.write, [live(grey(2))])
    timer.start()
    began_s = time.monotonic()
    news, _ = ask(view, "/news?have=1").news
    assert [image["number"] for image in news["images"]] == [2]
    assert 0.09 < time.monotonic() - began_s < 0.24
    timer.join()


def test_what_no_page_of_ours_asks_is_refused(view: View) -> None:
    for query in ("since=x", "have=a", "first=1e9", "bytes=", "since=1e999", "since=nan"):
        assert ask(view, f"/news?{query}").status == 400


def read_part(stream: http.client.HTTPResponse) -> bytes:
    """The next JPEG of a multipart answer."""
    while not (line := stream.readline()).startswith(b"Content-Length"):
        assert line, "the stream ended"
    stream.readline()
    return stream.read(int(line.split(b":")[1]))


def test_mjpeg_for_other_programs_has_boxes_and_then_a_slate(view: View) -> None:
    view.write(live(grey(128, (360, 640))))
    connection = http.client.HTTPConnection("127.0.0.1", port_of(view), timeout=10)
    connection.request("GET", "/mjpeg/0")
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    boxed = decoded(read_part(answer))
    assert np.abs(boxed[100:180, 318:323].astype(int) - 128).max() > 40
    assert np.abs(boxed[200:, 350:].astype(int) - 128).max() < 4
    view.write(dead())
    slate = decoded(read_part(answer))
    assert np.abs(slate[100].astype(int) - SLATE).max() < 8
    connection.close()


def test_there_is_no_mjpeg_of_a_camera_that_is_not_there(view: View) -> None:
    assert ask(view, "/mjpeg/0").status == 404


def test_a_camera_lost_while_its_image_is_made_is_not_shown() -> None:
    slow_to_encode = np.random.default_rng(0).integers(0, 255, (4000, 6000, 3), np.uint8)
    with View(Address("127.0.0.1", 0), ViewSettings(most_width=6000)) as view:
        view.write(live(slow_to_encode))
        timer = threading.Timer(0.1, view.write, [dead()])
        timer.start()
        began_s = time.monotonic()
        news, images = ask(view, "/news?have=0").news
        assert time.monotonic() - began_s > 0.1
        timer.join()
        assert (news["cameras"][0]["state"], news["images"], images) == ("LOST", [], b"")
