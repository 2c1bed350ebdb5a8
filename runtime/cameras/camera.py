"""Where frames come from: what every camera is, and which one a source string means."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeAlias, runtime_checkable

from stopline.runtime.cameras.password import without_passwords
from stopline.runtime.frame import Frame

Clock: TypeAlias = Callable[[], int]  # nanoseconds, monotonic
SourceName: TypeAlias = str | int | Path

# Of the streams, these carry the camera's own time. Motion JPEG over HTTP and bare H.264 over TCP
# have none: FFmpeg makes up an even rate, which is not theirs.
STAMPED = ("rtsp", "rtsps", "rtmp", "srt")
STREAMS = (*STAMPED, "http", "https", "udp", "tcp")
DEVICES = ("/dev/video", "/dev/v4l/")
WANTED = (
    "a camera index, /dev/videoN, a file, a folder or glob of images, rtsp://…, http://…, "
    "csi://0, gst:PIPELINE or sim://road"
)


@runtime_checkable
class Camera(Protocol):
    """An iterator of frames. A live one must be read in a thread: it waits for the world.

    Iterating ends when a source says that it is over, and raises OSError when it fails.
    """

    @property
    def name(self) -> str:
        """What its frames and results are called by."""

    @property
    def live(self) -> bool:
        """Whether it gives frames when it has them, not when it is asked."""

    @property
    def fps(self) -> float | None:
        """What the source says of itself; None if it says nothing."""

    def __iter__(self) -> Iterator[Frame]:
        """Give the next frame, waiting for it if the camera is live."""

    def close(self) -> None:
        """Give the device, file or connection back."""

    def __enter__(self) -> "Camera":
        """Subclass `Closing` for this and the next."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A camera that is not open yet. Opening a live one can take long, or hang."""

    name: str  # as the user gave it, without a password
    live: bool
    open: Callable[[], Camera]
    reopens: bool = False  # whether `open` makes a new one each time


def open_camera(
    source: SourceName, *, realtime: bool = False, clock: Clock = time.monotonic_ns
) -> Camera:
    """Open what `find_source` finds; raises OSError if it is not there or cannot be read."""
    return find_source(source, realtime=realtime, clock=clock).open()


def source_of(
    camera: Camera, *, realtime: bool = False, clock: Clock = time.monotonic_ns
) -> Source:
    """A camera that is there already, or one of your own making, as a source."""
    return _paced(Source(camera.name, camera.live, lambda: camera), realtime, clock)


def find_source(
    source: SourceName, *, realtime: bool = False, clock: Clock = time.monotonic_ns
) -> Source:
    """Say which camera `source` means, without opening it.

    With `realtime` a file is a live source that gives its frames at its own rate.
    Raises ValueError for a source of no known kind and OSError for a file that is not there.
    """
    text = str(source)
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if text.partition("?")[0].isdigit() or text.startswith(DEVICES):
        return _v4l2(text, clock)
    if text.startswith("gst:"):
        return _gstreamer(text, clock)
    if scheme == "csi":
        return _csi(text, clock)
    if scheme == "sim":
        return _paced(_simulated(text, clock), realtime, clock)
    if scheme in STREAMS:
        return _stream(text, clock)
    if scheme:
        raise ValueError(f"{text!r} has a scheme nobody knows: a source is {WANTED}")
    return _paced(_file(text, clock), realtime, clock)


# What a kind of source needs is imported where it is opened: a camera must not wait for the
# simulator, nor a file for the network.


def _v4l2(text: str, clock: Clock) -> Source:
    from stopline.runtime.cameras.capture_clock import by_kernel
    from stopline.runtime.cameras.live_camera import LiveCamera
    from stopline.runtime.cameras.v4l2 import open_v4l2, split_device

    device, settings = split_device(text)

    def opened() -> Camera:
        return LiveCamera(text, open_v4l2(device, settings), clock, by_kernel)

    return Source(text, True, opened, True)


def _gstreamer(text: str, clock: Clock) -> Source:
    from stopline.runtime.cameras.gstreamer import open_gstreamer, with_appsink
    from stopline.runtime.cameras.live_camera import LiveCamera

    name, pipeline = without_passwords(text), with_appsink(text.removeprefix("gst:"))
    return Source(name, True, lambda: LiveCamera(name, open_gstreamer(pipeline), clock), True)


def _csi(text: str, clock: Clock) -> Source:
    from stopline.runtime.cameras.capture_clock import StreamClock
    from stopline.runtime.cameras.gstreamer import csi_pipeline, open_gstreamer
    from stopline.runtime.cameras.live_camera import LiveCamera

    pipeline = csi_pipeline(text)

    def opened() -> Camera:
        return LiveCamera(text, open_gstreamer(pipeline), clock, StreamClock())

    return Source(text, True, opened, True)


def _simulated(text: str, clock: Clock) -> Source:
    from stopline.runtime.sim import RoadCamera

    camera: Camera = RoadCamera(text, clock_ns=clock)
    return Source(camera.name, camera.live, lambda: camera)


def _stream(text: str, clock: Clock) -> Source:
    from stopline.runtime.cameras.capture_clock import StreamClock, by_arrival
    from stopline.runtime.cameras.live_camera import LiveCamera
    from stopline.runtime.cameras.rtsp import RtspOpener
    from stopline.runtime.cameras.stream import open_stream

    name, scheme = without_passwords(text), text.partition("://")[0].lower()
    rtsp = RtspOpener(text, name) if scheme.startswith("rtsp") else None

    def opened() -> Camera:
        capture = rtsp() if rtsp is not None else open_stream(text, name)
        captured = StreamClock() if scheme in STAMPED else by_arrival
        return LiveCamera(name, capture, clock, captured)

    return Source(name, True, opened, True)


def _file(text: str, clock: Clock) -> Source:
    from stopline.runtime.cameras.image_files import ImageFiles, find_images
    from stopline.runtime.cameras.video_file import VideoFile

    path = Path(text)
    if (images := find_images(path)) is not None:
        return Source(text, False, lambda: ImageFiles(text, images, clock))
    if not path.exists():
        raise OSError(f"no file {text!r}: a source is {WANTED}")
    if not path.is_file():
        raise OSError(f"{text!r} is neither a file nor a folder: a source is {WANTED}")
    return Source(text, False, lambda: VideoFile(text, clock))


def _paced(source: Source, realtime: bool, clock: Clock) -> Source:
    """With `realtime`, a file made live; a camera that is live already keeps its own pace."""
    if source.live or not realtime:
        return source
    from stopline.runtime.cameras.realtime import AtItsOwnRate

    return Source(source.name, True, lambda: AtItsOwnRate(source.open(), clock))


def short_name(name: str, longest: int) -> str:
    """Of a path that is too long, its end: what tells it from others."""
    return (name if len(name) <= longest else Path(name).name)[-longest:]
