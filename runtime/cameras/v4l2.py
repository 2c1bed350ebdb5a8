"""Cameras on USB, and others that Linux knows as /dev/videoN."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import parse_qsl

import cv2

from stopline.runtime.cameras.live_camera import READ_TIMEOUT_MS
from stopline.runtime.quiet import silence_opencv

LISTING = "`v4l2-ctl --list-devices` lists the cameras"
FPS_TOLERANCE = 1.0  # 30 may be 29.97
FORMAT_LETTERS = 4  # of a V4L2 pixel format

OpenCapture = Callable[[str], cv2.VideoCapture]


@dataclass(frozen=True, slots=True)
class V4l2Settings:
    """What `/dev/video0?width=1280&height=720&fps=30&format=MJPG` can say.

    What is not said stays as the driver has it. Many cameras give their full rate as MJPG only.
    """

    width: int | None = None
    height: int | None = None
    fps: int | None = None
    format: str | None = None


def split_device(source: str) -> tuple[str, V4l2Settings]:
    """The device that an index or a path means, and the settings after its `?`.

    Raises ValueError for a setting that does not exist or means nothing.
    """
    device, _, query = source.partition("?")
    said = dict(parse_qsl(query, keep_blank_values=True))
    known = [field.name for field in fields(V4l2Settings)]
    whole = {key: _whole(value) for key, value in said.items() if key != "format"}
    if (unknown := set(said) - set(known)) or None in whole.values():
        wrong = min(unknown) if unknown else next(key for key in whole if whole[key] is None)
        raise ValueError(
            f"{source!r}: {wrong}={said[wrong]} is not one of {', '.join(known)}: "
            f"try {device}?width=1280&height=720&fps=30&format=MJPG"
        )
    pixels = said.get("format")
    if pixels is not None and not (pixels.isascii() and len(pixels) == FORMAT_LETTERS):
        raise ValueError(f"{source!r}: format={pixels} is no pixel format: try MJPG or YUYV")
    path = f"/dev/video{int(device)}" if device.isdigit() else device
    return path, V4l2Settings(format=pixels, **whole)


def open_v4l2(
    device: str, settings: V4l2Settings | None = None, opened: OpenCapture | None = None
) -> cv2.VideoCapture:
    """Open a device; raises OSError if it is not there, not ours to read, or no such camera.

    A link such as /dev/v4l/by-id/… is followed anew each time: it knows the camera by its serial
    number, whatever N it was given when it was plugged in again.
    """
    silence_opencv()
    path = _checked(device)
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(READ_TIMEOUT_MS // 1000))
    capture = (opened or _opened)(path)
    if not capture.isOpened():
        capture.release()
        raise OSError(
            f"cannot open {device}: is it a camera, and free? Many have a second node without "
            f"pictures; {LISTING}"
        )
    try:
        _set(capture, device, settings or V4l2Settings())
    except OSError:
        capture.release()
        raise
    return capture


def _opened(path: str) -> cv2.VideoCapture:
    return cv2.VideoCapture(path, cv2.CAP_V4L2)


def _checked(device: str) -> str:
    """The node itself, behind links. OpenCV would wait for what is no device."""
    path = Path(device).resolve()
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        by_id = "" if "/by-" in device else "; `ls /dev/v4l/by-id` has names that stay the same"
        raise OSError(f"no camera {device}: {LISTING}{by_id}") from None
    if not stat.S_ISCHR(kind):
        raise OSError(f"{device} is no device: {LISTING}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise OSError(
            f"camera {device} may not be read: `sudo usermod -aG video $USER`, log in again"
        )
    return str(path)


def _set(capture: cv2.VideoCapture, device: str, settings: V4l2Settings) -> None:
    """Ask for the format first, for sizes and rates depend on it; raise OSError if refused."""
    wanted: list[tuple[int, float, float]] = []
    if settings.format is not None:
        fourcc = cv2.VideoWriter.fourcc(*settings.format)
        wanted.append((cv2.CAP_PROP_FOURCC, fourcc, 0))
    if settings.width is not None:
        wanted.append((cv2.CAP_PROP_FRAME_WIDTH, settings.width, 0))
    if settings.height is not None:
        wanted.append((cv2.CAP_PROP_FRAME_HEIGHT, settings.height, 0))
    if settings.fps is not None:
        wanted.append((cv2.CAP_PROP_FPS, settings.fps, FPS_TOLERANCE))
    for property_, value, _ in wanted:
        capture.set(property_, value)
    if any(abs(capture.get(what) - value) > tolerance for what, value, tolerance in wanted):
        raise OSError(
            f"{device} gives {_given(capture)}, not what was asked for: "
            f"`v4l2-ctl -d {device} --list-formats-ext` lists what it can give"
        )


def _given(capture: cv2.VideoCapture) -> str:
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    pixels = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    fps = capture.get(cv2.CAP_PROP_FPS)
    return f"{width:.0f}x{height:.0f} {pixels.decode('latin-1')} at {fps:g} fps"


def _whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else None
