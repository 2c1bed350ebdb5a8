"""The two OpenCVs that cameras are read with: PyPI's with FFmpeg, and a board's with GStreamer."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.runtime.cameras.rtsp import SYSTEM_PYTHON, Reader

ROOT = Path(__file__).parents[3]
PATHS = f"{ROOT / 'src'}:{ROOT}"
ASK_FOR_SERVER = "import gi; gi.require_version('GstRtspServer', '1.0')"
ASK_FOR_GSTREAMER = "import cv2; assert cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER)"


def _can(question: str) -> bool:
    asked = [SYSTEM_PYTHON, "-c", question]
    return (
        Path(SYSTEM_PYTHON).exists() and not subprocess.run(asked, capture_output=True).returncode
    )


@pytest.fixture(scope="session")
def rtsp_server() -> None:
    """Skip by name where GStreamer's RTSP server is not installed."""
    if not _can(ASK_FOR_SERVER):
        pytest.skip(
            "no GStreamer RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi"
        )


@pytest.fixture(scope="session")
def over_ffmpeg() -> Reader:
    """This very Python."""
    return Reader(sys.executable, os.environ | {"PYTHONPATH": PATHS})


@pytest.fixture(scope="session")
def over_gstreamer(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The system's Python and OpenCV, as on a board; only msgspec is lent to it, for the manifest.

    Skips by name where Debian's OpenCV is not installed, or another Python than this.
    """
    if not _can(ASK_FOR_GSTREAMER):
        pytest.skip("no OpenCV with GStreamer: apt-get install python3-opencv")
    lent = tmp_path_factory.mktemp("lent")
    (lent / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    environment = os.environ | {"PYTHONPATH": f"{PATHS}:{lent}"}
    reader = Reader(SYSTEM_PYTHON, environment)
    if reader.run("import stopline.runtime.pipeline").returncode:
        pytest.skip(f"{SYSTEM_PYTHON} is not the Python of these tests: its msgspec cannot be lent")
    return reader


@pytest.fixture(params=["FFmpeg", "GStreamer"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each of the two."""
    fixture = "over_ffmpeg" if request.param == "FFmpeg" else "over_gstreamer"
    found = request.getfixturevalue(fixture)
    assert isinstance(found, Reader)
    return found
