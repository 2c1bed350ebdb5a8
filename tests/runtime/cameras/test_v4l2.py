"""Cameras on USB: what can be said of a device, what is refused, and one that is unplugged.

There is no V4L2 device here; a clip stands in for what the device would give once it is open.
"""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import pytest

from stopline.runtime.cameras.camera import Source, find_source, open_camera
from stopline.runtime.cameras.live_camera import LiveCamera
from stopline.runtime.cameras.live_feed import LiveFeed, LiveSettings
from stopline.runtime.cameras.newest import News
from stopline.runtime.cameras.v4l2 import V4l2Settings, open_v4l2, split_device
from stopline.runtime.frame import CameraState
from tests.runtime.clips import grey, until, write_clip


@pytest.mark.parametrize(
    ("source", "device", "settings"),
    [
        ("0", "/dev/video0", V4l2Settings()),
        (
            "/dev/v4l/by-id/usb-a_b-video-index0",
            "/dev/v4l/by-id/usb-a_b-video-index0",
            V4l2Settings(),
        ),
        ("2?format=YUYV", "/dev/video2", V4l2Settings(format="YUYV")),
        (
            "/dev/video1?width=1280&height=720&fps=30&format=MJPG",
            "/dev/video1",
            V4l2Settings(1280, 720, 30, "MJPG"),
        ),
    ],
)
def test_a_device_and_what_is_asked_of_it(source: str, device: str, settings: V4l2Settings) -> None:
    assert split_device(source) == (device, settings)


@pytest.mark.parametrize(
    "source",
    ["0?width=0", "0?widht=640", "0?fps=fast", "0?fps=29.97", "0?format=JPEG2", "0?height="],
)
def test_a_setting_that_means_nothing_is_refused_before_anything_is_opened(source: str) -> None:
    with pytest.raises(ValueError, match=r"try .*MJPG"):
        find_source(source)


def test_a_device_that_is_not_there_is_told_with_what_to_type() -> None:
    with pytest.raises(
        OSError, match=r"no camera /dev/video77: .*--list-devices.*ls /dev/v4l/by-id"
    ):
        open_camera("/dev/video77")


def test_a_pipe_or_a_file_is_no_device_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "video0")
    (tmp_path / "video1").touch()
    for name in ("video0", "video1", "."):
        with pytest.raises(OSError, match="is no device"):
            open_v4l2(str(tmp_path / name))


def test_a_device_that_is_no_camera_is_refused() -> None:
    with pytest.raises(OSError, match="is it a camera, and free"):
        open_v4l2("/dev/null")


def test_a_device_that_is_not_ours_is_told_with_what_to_type() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a device")
    ask = (
        "import os, sys; from stopline.runtime.cameras.v4l2 import open_v4l2\n"
        "os.setuid(65534)\n"
        "try: open_v4l2(sys.argv[1])\n"
        "except OSError as error: print(error)"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        node = Path(folder) / "video0"
        try:
            os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("devices cannot be made in this container")
        said = subprocess.run(
            [sys.executable, "-c", ask, str(node)], capture_output=True, text=True
        )
    assert "sudo usermod -aG video $USER" in said.stdout, said.stderr


def clip_of(folder: Path, frames: int) -> cv2.VideoCapture:
    """What a device would give: some frames, and then no more."""
    clip = write_clip(folder / "clip.mp4", [grey(90)] * frames)
    return cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)


def test_a_camera_that_gives_something_else_than_asked_for_is_refused(tmp_path: Path) -> None:
    opened: list[cv2.VideoCapture] = []

    def clip(path: str) -> cv2.VideoCapture:
        opened.append(clip_of(tmp_path, 3))
        return opened[-1]

    open_v4l2("/dev/null", V4l2Settings(64, 48, 30), clip).release()
    with pytest.raises(OSError, match=r"gives 64x48 .* at 30 fps, not .*--list-formats-ext"):
        open_v4l2("/dev/null", V4l2Settings(640, 480, 30), clip)
    with pytest.raises(OSError, match="not what was asked for"):
        open_v4l2("/dev/null", V4l2Settings(format="YUYV"), clip)
    assert [one.isOpened() for one in opened] == [False] * 3, "left open"


class Port:
    """A folder for /dev, in which a device comes and goes under a name that stays."""

    def __init__(self, folder: Path) -> None:
        self.by_id = folder / "by-id-eye"
        self.opened: list[str] = []
        self._folder = folder

    def plug_in(self, node: str) -> None:
        """A character device under that name; which one does not matter."""
        (self._folder / node).symlink_to("/dev/null" if node == "video0" else "/dev/zero")
        self.by_id.symlink_to(self._folder / node)

    def unplug(self) -> None:
        self.by_id.readlink().unlink()
        self.by_id.unlink()

    def camera(self) -> LiveCamera:
        def clip(path: str) -> cv2.VideoCapture:
            self.opened.append(path)
            return clip_of(self._folder, 5)

        return LiveCamera("eye", open_v4l2(str(self.by_id), None, clip))


def test_a_camera_that_is_unplugged_and_plugged_in_again_is_found_under_its_new_number(
    tmp_path: Path,
) -> None:
    port = Port(tmp_path)
    port.plug_in("video0")
    source = Source("eye", True, port.camera, reopens=True)
    feed = LiveFeed(source, News(), LiveSettings(), time.monotonic_ns)
    states: list[CameraState] = []

    def becomes(state: CameraState) -> bool:
        now_ns = time.monotonic_ns()
        feed.tend(now_ns)
        if not states or states[-1] is not feed.state(now_ns):
            states.append(feed.state(now_ns))
        return states[-1] is state

    until(lambda: becomes(CameraState.LIVE))
    port.unplug()  # the clip ends by itself, as a device's frames do
    until(lambda: becomes(CameraState.LOST))
    until(lambda: "no camera" in str(feed.trouble))
    port.plug_in("video1")
    until(lambda: becomes(CameraState.LIVE), within_s=3)
    feed.stop()
    feed.close(time.monotonic() + 5)
    assert not feed.hangs
    seen = [state.value for state in states]
    assert [one for one in seen if one != "CONNECTING"] == ["LIVE", "STALE", "LOST", "LIVE"]
    assert {Path(path).name for path in port.opened} == {"null", "zero"}
