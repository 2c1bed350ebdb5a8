"""GStreamer pipelines, which reach what nothing else does: a board's CSI port and its decoders."""

from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlsplit

import cv2

from stopline.runtime.quiet import silence_opencv

# drop and max-buffers keep the newest frame only; without sync=false a late frame waits.
APPSINK = "appsink drop=true max-buffers=1 sync=false"
TO_BGR = f"videoconvert ! video/x-raw,format=BGR ! {APPSINK}"


@dataclass(frozen=True, slots=True)
class CsiSettings:
    """What `csi://0?width=1280&height=720&fps=30` can say, and what it means when it does not."""

    width: int = 1280
    height: int = 720
    fps: int = 30


def with_appsink(pipeline: str) -> str:
    """`pipeline` made to end in BGR frames for OpenCV, unless it has an end of its own."""
    if not pipeline.strip():
        raise ValueError("gst: has no pipeline after it: try gst:videotestsrc")
    return pipeline if "appsink" in pipeline else f"{pipeline} ! {TO_BGR}"


def csi_pipeline(url: str) -> str:
    """The pipeline of `csi://N`: a sensor on a Jetson's CSI port, converted by its hardware.

    Written after NVIDIA's documentation of nvarguscamerasrc; not run yet on a board.
    Raises ValueError for a sensor or a setting that is no whole number.
    """
    parts = urlsplit(url)
    settings = _csi_settings(url, dict(parse_qsl(parts.query, keep_blank_values=True)))
    if not parts.netloc.isdigit():
        raise ValueError(f"{url!r} names no sensor: wanted csi://0 or csi://1")
    return (
        f"nvarguscamerasrc sensor-id={int(parts.netloc)} ! video/x-raw(memory:NVMM),"
        f"width={settings.width},height={settings.height},framerate={settings.fps}/1 ! "
        f"nvvidconv ! video/x-raw,format=BGRx ! {TO_BGR}"
    )


def open_gstreamer(pipeline: str) -> cv2.VideoCapture:
    """Open a pipeline that ends in an appsink; raises OSError if OpenCV or GStreamer cannot."""
    silence_opencv()
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise OSError(
            f"this OpenCV ({cv2.__version__}) has no GStreamer: use the board's own "
            "(`apt install python3-opencv`) in place of PyPI's opencv-python"
        )
    capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise OSError(f"GStreamer cannot play {pipeline!r}: try it with `gst-launch-1.0`")
    return capture


def _csi_settings(url: str, said: dict[str, str]) -> CsiSettings:
    known = [field.name for field in fields(CsiSettings)]
    for key, value in said.items():
        if key not in known or not value.isdigit() or int(value) == 0:
            raise ValueError(f"{url!r}: {key}={value} is not one of {', '.join(known)} as a number")
    return CsiSettings(**{key: int(value) for key, value in said.items()})
