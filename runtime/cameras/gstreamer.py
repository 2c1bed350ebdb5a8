"""GStreamer pipelines, which reach what nothing else does: a board's CSI port and its decoders."""

from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlsplit

import cv2

from stopline.runtime.cameras.capture import Capture
from stopline.runtime.cameras.gstreamer_capture import SINK, GStreamerCapture
from stopline.runtime.cameras.gstreamer_elements import missing_elements, parse_error
from stopline.runtime.cameras.live_camera import OPEN_TIMEOUT_MS, READ_TIMEOUT_MS
from stopline.runtime.cameras.password import without_passwords
from stopline.runtime.quiet import silence_opencv

# drop and max-buffers keep the newest frame only; without sync=false a late frame waits.
APPSINK = f"appsink name={SINK} drop=true max-buffers=1 sync=false"
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


def quoted(text: str) -> str:
    """As the value of a property in a pipeline, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def has_gstreamer() -> bool:
    """Whether this OpenCV can play pipelines: PyPI's cannot, a board's own and Debian's can."""
    return bool(cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER))


def open_gstreamer(pipeline: str) -> Capture:
    """Open a pipeline that ends in an appsink; raises OSError if GStreamer is absent or cannot.

    One with an end of its own is read by OpenCV, which must have GStreamer then.
    """
    if missing_elements(["appsink"]):
        raise OSError("this machine has no GStreamer: `apt install gstreamer1.0-plugins-base`")
    shown = without_passwords(pipeline)
    if APPSINK not in pipeline:
        return _with_an_end_of_its_own(pipeline)
    try:
        return open_pipeline(pipeline)
    except OSError as error:
        raise OSError(f"GStreamer cannot play {shown!r}: {error}") from None


def open_pipeline(pipeline: str) -> Capture:
    """Open one that ends in `APPSINK`; raises OSError with GStreamer's reason alone."""
    return GStreamerCapture(pipeline, OPEN_TIMEOUT_MS / 1000, READ_TIMEOUT_MS / 1000)


def _with_an_end_of_its_own(pipeline: str) -> Capture:
    if not has_gstreamer():
        raise OSError(
            f"this OpenCV ({cv2.__version__}) has no GStreamer: leave `appsink` out of the "
            "pipeline, or use the board's OpenCV (`apt install python3-opencv`) in place of PyPI's"
        )
    shown = without_passwords(pipeline)
    # OpenCV plays what is left of a pipeline that has a mistake, and waits for it for ever.
    if (mistake := parse_error(pipeline)) is not None:
        raise OSError(f"GStreamer cannot play {shown!r}: {without_passwords(mistake)}")
    silence_opencv()
    capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise OSError(f"GStreamer cannot play {shown!r}: `gst-launch-1.0` says why")
    return capture


def _csi_settings(url: str, said: dict[str, str]) -> CsiSettings:
    known = [field.name for field in fields(CsiSettings)]
    for key, value in said.items():
        if key not in known or not value.isdigit() or int(value) == 0:
            raise ValueError(f"{url!r}: {key}={value} is not one of {', '.join(known)} as a number")
    return CsiSettings(**{key: int(value) for key, value in said.items()})
