"""A real RTSP camera that goes away, is replaced by something worse, is held up, and comes back."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing

import pytest

from stopline.runtime.cameras.live_camera import READ_TIMEOUT_MS
from tests.runtime.cameras.rtsp import (
    Line,
    Reader,
    Watched,
    free_port,
    garbage,
    nothing_there,
    rtsp_camera,
    silence,
    watching,
)
from tests.runtime.clips import until

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("rtsp_server")]

GONE_S = 2.5
SPARE = 3  # threads that GLib keeps in its pools; a connection left behind has ten, and files
# Of what no stamp tells: FFmpeg gives a frame when the next begins, and this machine is busy.
UNTOLD_MS = 100


def told_the_truth(watched: Watched) -> None:
    """Every frame was as new as it was said to be, by the time written in its picture."""
    assert max(one["true_age_ms"] for one in watched.frames) < 500 + UNTOLD_MS
    assert max(one["true_age_ms"] - one["age_ms"] for one in watched.frames) < UNTOLD_MS
    assert min(one["true_age_ms"] - one["age_ms"] for one in watched.frames) > -UNTOLD_MS


def check(watched: Watched, gone: float, back: float) -> None:
    """Nothing was shown that the camera did not see at that moment."""
    silent = [one for one in watched.results if gone + 0.2 < one["at"] < back]
    assert [one["state"] for one in silent] == ["STALE", "LOST"]
    assert silent[-1]["at"] - gone < 2
    returned = watched.live_after(back)
    assert returned is not None
    assert returned < 3
    told_the_truth(watched)
    assert {tuple(one["hw"]) for one in watched.frames} == {(240, 320), (480, 640)}
    assert min(one["white"] for one in watched.frames) > 230, "shown without a key frame"
    indices = [one["index"] for one in watched.frames]
    assert indices == sorted(set(indices))


@pytest.mark.parametrize("meanwhile", [nothing_there, silence, garbage])
def test_a_camera_that_comes_back_is_live_again(
    meanwhile: Callable[[int], AbstractContextManager[None]], reader: Reader
) -> None:
    port = free_port()
    with ExitStack() as opened:
        with rtsp_camera(port, "320x240"):
            watched = opened.enter_context(watching(reader, f"rtsp://127.0.0.1:{port}/road"))
            until(lambda: len(watched.frames) > 30, within_s=15)
            before = watched.most_held()
        gone = time.monotonic()
        with meanwhile(port):
            time.sleep(GONE_S)
        opened.enter_context(rtsp_camera(port, "640x480"))
        back = time.monotonic()
        until(lambda: watched.live_after(back) is not None, within_s=15)
        until(lambda: watched.held() <= before + SPARE, within_s=15)
    check(watched, gone, back)
    assert watched.report["connections"] > 1
    assert watched.report["error"] is None


def test_frames_that_were_held_up_are_as_old_as_they_are(reader: Reader) -> None:
    port = free_port()
    with rtsp_camera(port), closing(Line(port)) as line:
        with watching(reader, f"rtsp://127.0.0.1:{line.port}/road") as watched:
            until(lambda: len(watched.frames) > 30, within_s=15)
            line.hold(1.2)
            released = time.monotonic()
            until(lambda: (watched.live_after(released) or 0) > 0, within_s=5)
            until(lambda: watched.frames[-1]["at"] - released > 1, within_s=5)
        told_the_truth(watched)
        assert watched.frames[0]["true_age_ms"] < UNTOLD_MS, "read before it was connected"
        assert "STALE" in [one["state"] for one in watched.results]
        assert watched.report["connections"] == 1
        late = [one for one in watched.frames if one["at"] > released]
        assert max(one["age_ms"] for one in late) > 100, "nothing was late: the test proves nothing"


def test_a_camera_that_falls_silent_without_closing_the_line_is_connected_anew(
    reader: Reader,
) -> None:
    port = free_port()
    with rtsp_camera(port), closing(Line(port)) as line:
        with watching(reader, f"rtsp://127.0.0.1:{line.port}/road") as watched:
            until(lambda: len(watched.frames) > 30, within_s=15)
            before = watched.most_held()
            line.hold(READ_TIMEOUT_MS / 1000 + 1)
            back = time.monotonic()
            until(lambda: watched.live_after(back) is not None, within_s=5)
            until(lambda: watched.held() <= before + SPARE, within_s=10)
        told_the_truth(watched)
        states = [one["state"] for one in watched.results]
        assert states.count("STALE") == states.count("LOST") == 1
        assert watched.report["connections"] > 1


OPENS = """
import sys
from stopline.runtime.cameras.decoders import DECODERS, Decoder
from stopline.runtime.cameras.rtsp import RtspOpener
wrong = Decoder("another codec's", ("parsebin", "jpegdec"), "parsebin ! jpegdec")
opener = RtspOpener(sys.argv[1], "camera", (wrong, DECODERS[-1]))
for _ in range(2):
    capture = opener()
    print(type(capture).__name__, capture.grab(), [one.name for one in opener.decoders])
    capture.release()
"""


def test_a_decoder_for_another_codec_is_passed_over_and_not_asked_again(
    over_gstreamer: Reader,
) -> None:
    port = free_port()
    with rtsp_camera(port):
        said = over_gstreamer.run(OPENS, f"rtsp://127.0.0.1:{port}/road")
    assert said.stdout.splitlines() == ["GStreamerCapture True ['software']"] * 2, said.stderr
