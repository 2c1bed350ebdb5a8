"""What a source string means, and cameras that are streams from a real server."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import pytest

from stopline.runtime.cameras.camera import find_source, open_camera, short_name
from stopline.runtime.cameras.camera_state import Patience
from stopline.runtime.cameras.gstreamer import APPSINK, csi_pipeline, with_appsink
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.frame import CameraState, Frame
from stopline.runtime.pipeline import Pipeline, PipelineSettings
from tests.runtime.clips import Slow, grey


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (0, "0"),
        ("/dev/video3", "/dev/video3"),
        ("0?width=640&format=YUYV", "0?width=640&format=YUYV"),
        ("/dev/v4l/by-id/usb-eye-index0", "/dev/v4l/by-id/usb-eye-index0"),
        ("rtsp://front/stream", "rtsp://front/stream"),
        ("rtsp://me:secret@front:554/stream", "rtsp://me:…@front:554/stream"),
        ("HTTP://front/", "HTTP://front/"),
        ("csi://0", "csi://0"),
        ("gst:videotestsrc", "gst:videotestsrc"),
        ("gst:rtspsrc location=rtsp://me:secret@front", "gst:rtspsrc location=rtsp://me:…@front"),
    ],
)
def test_cameras_are_live_and_named_as_they_were_typed_but_for_a_password(
    source: str | int, name: str
) -> None:
    found = find_source(source)
    assert (found.name, found.live) == (name, True)


@pytest.mark.parametrize("source", ["", "nowhere", "-1", "gopher://x", "gst: ", "csi://", "://"])
def test_a_source_of_no_known_kind_is_refused(source: str) -> None:
    with pytest.raises((OSError, ValueError), match=r"a source is|wanted|try"):
        find_source(source)


def test_a_short_name_keeps_the_end_of_a_path() -> None:
    assert short_name("front", 10) == "front"
    assert short_name("/data/drives/monday/front.mp4", 12) == "front.mp4"
    assert short_name("/data/a-name-that-is-too-long.mp4", 8) == "long.mp4"


def test_a_pipeline_gets_an_end_unless_it_has_one() -> None:
    assert with_appsink("videotestsrc").endswith(APPSINK)
    assert with_appsink("videotestsrc ! appsink") == "videotestsrc ! appsink"


def test_a_csi_camera_is_a_pipeline_of_what_was_asked_for() -> None:
    pipeline = csi_pipeline("csi://1?width=1920&height=1080&fps=60")
    assert pipeline.startswith("nvarguscamerasrc sensor-id=1 ! ")
    assert "width=1920,height=1080,framerate=60/1" in pipeline
    assert pipeline.endswith(APPSINK)


@pytest.mark.parametrize("url", ["csi://0?width=0", "csi://0?gain=2", "csi://0?fps=fast"])
def test_a_csi_setting_that_means_nothing_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="width, height, fps"):
        csi_pipeline(url)


class _Motion(BaseHTTPRequestHandler):
    """Motion JPEG as IP cameras send it: /ends after 10 frames, /hangs after 10 frames."""

    hung_up = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
        self.end_headers()
        for value in range(10):
            jpeg = cv2.imencode(".jpg", grey(20 * value))[1].tobytes()
            head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(0.02)
        if self.path == "/hangs":
            self.hung_up.wait(30)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def motion() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Motion)
    _Motion.hung_up.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    _Motion.hung_up.set()
    server.shutdown()
    server.server_close()


def test_a_stream_gives_its_frames_and_its_end_is_a_failure(motion: str) -> None:
    given: list[Frame] = []
    with (
        open_camera(f"{motion}/ends") as camera,
        pytest.raises(OSError, match="stopped giving frames after 10 frames"),
    ):
        given.extend(camera)
    assert [frame.index for frame in given] == list(range(10))
    assert [round(frame.image.mean() / 20) for frame in given] == list(range(10))


def test_a_stream_that_falls_silent_is_stale_then_lost_then_given_up(motion: str) -> None:
    patience, once = Patience(0.3, 0.6, 1.2), Reconnect(most_failures=0)
    settings = PipelineSettings(patience, once, close_within_s=0.1)
    with Pipeline(Slow(), f"{motion}/hangs", settings=settings) as pipeline:
        results = list(pipeline)
        [report] = pipeline.reports()
    states = [result.state for result in results]
    live = states.count(CameraState.LIVE)
    assert states == [CameraState.LIVE] * live + [CameraState.STALE, CameraState.LOST]
    assert live + sum(result.dropped for result in results) == 10
    assert "gave no frame for 1.2 s" in str(report.error)
