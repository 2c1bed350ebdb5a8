"""Whether an RTSP camera is there, asked before a decoder is set up for it.

It can say what OpenCV cannot: nobody there, no answer, no RTSP. And OpenCV leaves a GStreamer
pipeline that fails to start half alive, with its threads and files; a camera that is away for a
night would cost thousands.
"""

import socket
from contextlib import closing
from urllib.parse import urlsplit

RTSP_PORT = 554  # RFC 2326
ANSWER_BYTES = 4096
UNAUTHORISED, NOT_FOUND = 401, 404
# Not DESCRIBE, for which a camera may start to encode, and stop again when the line is closed: in
# the middle of what comes next.
QUESTION = "OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: stopline\r\n\r\n"


def knock(url: str, name: str, timeout_s: float) -> None:
    """Raise OSError if no camera answers at that URL.

    `name` is the URL as it may be shown. The password is not sent: that it is asked for is enough.
    """
    encrypted = urlsplit(url).scheme.lower() == "rtsps"
    host, port = _host_and_port(url, name)
    try:
        with closing(socket.create_connection((host, port), timeout_s)) as line:
            if encrypted:
                return
            line.sendall(QUESTION.format(url=_without_user(url)).encode())
            answer = line.recv(ANSWER_BYTES)
    except TimeoutError:
        raise OSError(f"no answer from {name} in {timeout_s:g} s: is the address right?") from None
    except OSError as error:
        raise OSError(f"no camera at {name}: {error.strerror or error}: is it on?") from None
    _check(answer, name, with_user="@" in urlsplit(url).netloc)


def _host_and_port(url: str, name: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or RTSP_PORT
    except ValueError:  # it would say what it took for a port, which may be half a password
        host = port = None
    if host is None or port is None:
        raise ValueError(
            f"{name!r} names no host and port: wanted rtsp://NAME:PASSWORD@HOST:PORT/STREAM, "
            "with / in a password as %2F and @ as %40"
        )
    return host, port


def _check(answer: bytes, name: str, with_user: bool) -> None:
    status = answer.split(b"\r\n", 1)[0].decode(errors="replace")
    protocol, _, said = status.partition(" ")
    code, _, reason = said.partition(" ")
    if not protocol.startswith("RTSP/") or not code.isdigit():
        raise OSError(f"what answers at {name} does not speak RTSP: are address and port right?")
    if int(code) == UNAUTHORISED and not with_user:
        raise OSError(f"{name} wants a name and a password: rtsp://NAME:PASSWORD@HOST/STREAM")
    if int(code) == NOT_FOUND:  # any other answer is for the decoder to judge
        raise OSError(f"{name} answers {code} {reason}: is the path after the host right?")


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
