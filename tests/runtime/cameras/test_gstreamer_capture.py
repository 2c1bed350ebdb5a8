"""Pipelines read without OpenCV: their pixels, stamps, ends and mistakes."""

import math
import os
import time

import cv2
import numpy as np
import pytest

from stopline.runtime.cameras.camera import open_camera
from stopline.runtime.cameras.gstreamer import TO_BGR
from stopline.runtime.cameras.gstreamer_capture import GStreamerCapture
from stopline.runtime.cameras.gstreamer_elements import missing_elements
from stopline.runtime.frame import Frame
from tests.runtime.cameras.rtsp import Reader

if missing_elements(["videotestsrc", "videoconvert", "appsink"]):
    pytest.skip("no GStreamer: apt-get install gstreamer1.0-plugins-base", allow_module_level=True)

FAILS = """
import sys
from stopline.runtime.cameras.camera import open_camera
try:
    open_camera(sys.argv[1])
except OSError as error:
    print(error)
"""
BLUE_32 = "videotestsrc pattern=solid-color foreground-color=0xff102030"


def opened(pipeline: str, within_s: float = 5.0) -> GStreamerCapture:
    return GStreamerCapture(f"{pipeline} ! {TO_BGR}", within_s, within_s)


def held() -> int:
    """Threads and files of this process."""
    return len(os.listdir("/proc/self/task")) + len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("width", [64, 61, 62, 63])
def test_pixels_are_as_they_were_made_whatever_the_padding_of_their_rows(width: int) -> None:
    capture = opened(f"{BLUE_32} ! video/x-raw,format=RGB,width={width},height=48")
    assert capture.grab()
    good, image = capture.retrieve()
    capture.release()
    assert good
    assert image.shape == (48, width, 3)
    assert (image == np.array([0x30, 0x20, 0x10], np.uint8)).all()


def test_stamps_and_rate_are_the_streams_own_and_its_end_is_told() -> None:
    capture = opened("videotestsrc num-buffers=4 ! video/x-raw,framerate=25/1")
    stamps = []
    while capture.grab():
        stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        assert capture.get(cv2.CAP_PROP_FPS) == 25
    capture.release()
    assert stamps[-1] == 120  # of a source that does not wait, all but the newest may be dropped
    assert stamps == sorted(stamps)
    assert all(stamp % 40 == 0 for stamp in stamps)


def test_a_frame_without_a_stamp_has_none() -> None:
    capture = opened(
        "fakesrc sizetype=fixed sizemax=12288 num-buffers=3 filltype=zero ! "
        "video/x-raw,format=BGR,width=64,height=64,framerate=30/1"
    )
    assert capture.grab()
    assert math.isnan(capture.get(cv2.CAP_PROP_POS_MSEC))
    assert capture.retrieve()[1].shape == (64, 64, 3)
    capture.release()


def test_a_size_that_changes_on_the_way_is_followed() -> None:
    small, large = (
        f"videotestsrc num-buffers=2 ! video/x-raw,width={w},height=48" for w in (64, 96)
    )
    capture = opened(f"concat name=one {small} ! one. {large} ! one. one.")
    widths = set()
    while capture.grab():
        widths.add(capture.retrieve()[1].shape[1])
        time.sleep(0.02)
    capture.release()
    assert 96 in widths


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        ("filesrc location=/nonexistent ! decodebin", "No such file"),
        ("videotestsrc ! video/x-raw,width=64 ! nosuch", 'no element "nosuch"'),
        ("videotestsrc num-buffers=0", "no frame came"),
        ("appsrc is-live=true caps=video/x-raw,format=BGR,width=64,height=48", "no frame came"),
        ("filesrc location=/nonexistent?pwd=secret ! decodebin", r"No such file.*pwd=…"),
    ],
)
def test_what_cannot_be_opened_is_told_in_time_with_gstreamers_reason(
    pipeline: str, why: str
) -> None:
    started = time.monotonic()
    with pytest.raises(OSError, match=why) as failed:
        opened(pipeline, within_s=0.5)
    assert time.monotonic() - started < 2
    assert "secret" not in str(failed.value)


def test_a_pipeline_that_falls_silent_is_left_in_time() -> None:
    capture = opened(
        "videotestsrc num-buffers=1 ! identity eos-after=9 ! queue ! valve drop=false", 0.3
    )
    assert capture.grab()
    started = time.monotonic()
    assert not capture.grab()
    assert time.monotonic() - started < 1
    capture.release()
    capture.release()  # twice does no harm


def test_nothing_is_left_of_pipelines_that_were_closed_or_could_not_be_opened() -> None:
    before = 0
    for n in range(20):
        capture = opened("videotestsrc is-live=true ! video/x-raw,width=64,height=48")
        assert capture.grab()
        capture.release()
        with pytest.raises(OSError, match="No such file"):
            opened("videotestsrc ! queue ! fakesink filesrc location=/nonexistent ! decodebin")
        if n == 4:
            before = held()
    assert held() <= before + 3


def test_a_pipeline_is_a_camera_whatever_opencv_can_do() -> None:
    with open_camera("gst:videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48") as camera:
        frames = list[Frame]()
        with pytest.raises(OSError, match="stopped giving frames"):
            frames.extend(camera)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}


@pytest.mark.parametrize("end", ["", " ! videoconvert ! appsink"])
def test_a_mistake_in_a_pipeline_is_told_at_once(reader: Reader, end: str) -> None:
    said = reader.run(FAILS, f"gst:nosuch location=rtsp://me:secret@front{end}")
    assert 'no element "nosuch"' in said.stdout or "leave `appsink` out" in said.stdout, said.stderr
    assert "secret" not in said.stdout + said.stderr
