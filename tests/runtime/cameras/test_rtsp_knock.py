"""What is said of whatever answers, or does not, where an RTSP camera should be."""

import re
import socket
from collections.abc import Callable

import pytest

from stopline.runtime.cameras.rtsp_knock import knock
from tests.runtime.cameras.rtsp import answering, free_port, say_garbage, say_nothing

asked: list[str] = []


def saying(answer: str) -> Callable[[socket.socket], None]:
    def say(client: socket.socket) -> None:
        asked.append(client.recv(4096).decode())
        client.sendall(answer.encode())

    return say


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (say_nothing, "no answer from rtsp://shown in 0.3 s"),
        (say_garbage, "does not speak RTSP"),
        (lambda client: client.close(), "does not speak RTSP|no camera at rtsp://shown"),
        (saying("HTTP/1.1 200 OK\r\n\r\n"), "does not speak RTSP"),
        (saying("RTSP/1.0 404 Not Found\r\n\r\n"), "answers 404 Not Found"),
        (saying("RTSP/1.0 401 Unauthorized\r\n\r\n"), "wants a name and a password"),
    ],
)
def test_what_is_no_camera_is_told_by_what_it_does(
    answer: Callable[[socket.socket], None], found: str
) -> None:
    port = free_port()
    with answering(port, answer), pytest.raises(OSError, match=found) as failed:
        knock(f"rtsp://127.0.0.1:{port}/road", "rtsp://shown", 0.3)
    assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "501 Not Implemented"])
def test_a_camera_that_answers_is_there_and_is_not_told_the_password(status: str) -> None:
    port = free_port()
    asked.clear()
    with answering(port, saying(f"RTSP/1.0 {status}\r\n\r\n")):
        knock(f"rtsp://me:secret@127.0.0.1:{port}/road", "rtsp://shown", 1)
    assert re.match(rf"OPTIONS rtsp://127.0.0.1:{port}/road RTSP/1.0\r\n", asked[0])
    assert "secret" not in asked[0]


def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(OSError, match="no camera at rtsp://shown: Connection refused"):
        knock(f"rtsp://127.0.0.1:{free_port()}/road", "rtsp://shown", 5)


@pytest.mark.parametrize("url", ["rtsp:///road", "rtsp://me:se/cret@front/road"])
def test_an_address_without_a_host_is_a_mistake(url: str) -> None:
    with pytest.raises(ValueError, match="names no host") as failed:
        knock(url, "shown", 1)
    assert "'se'" not in str(failed.value), "half a password"
