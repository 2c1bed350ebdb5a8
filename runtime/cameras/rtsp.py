"""RTSP cameras: over GStreamer where the OpenCV at hand has it, else over its FFmpeg.

GStreamer decodes in hardware, and gives a frame when it is whole; FFmpeg gives it when the next
one begins.
"""

from stopline.runtime.cameras.capture import Capture
from stopline.runtime.cameras.decoders import Decoder, decoders_here
from stopline.runtime.cameras.gstreamer import TO_BGR, has_gstreamer, open_pipeline, quoted
from stopline.runtime.cameras.gstreamer_elements import missing_elements
from stopline.runtime.cameras.live_camera import READ_TIMEOUT_MS
from stopline.runtime.cameras.rtsp_knock import knock
from stopline.runtime.cameras.stream import open_stream

NEEDS = ("rtspsrc", "videoconvert", "appsink")
# TCP: a lost packet of UDP is half a frame of grey; it loses nothing, so there is nothing to wait
# for (latency). buffer-mode=none keeps the camera's own time stamps: any other mode replaces them
# by the moment of arrival when they differ by a second, and a frame that was held up would be new.
SOURCE = "rtspsrc protocols=tcp latency=0 buffer-mode=none tcp-timeout={timeout_us} location={url}"
VIDEO = "application/x-rtp,media=video"  # or a microphone's stream might be decoded


def rtsp_pipeline(url: str, decoder: Decoder) -> str:
    """What GStreamer is to do for a camera, with its password."""
    source = SOURCE.format(timeout_us=READ_TIMEOUT_MS * 1000, url=quoted(url))
    return f"{source} ! {VIDEO} ! {decoder.pipeline} ! {TO_BGR}"


class RtspOpener:
    """Opens one camera, again and again; once a decoder could, only that one is asked."""

    def __init__(self, url: str, name: str, decoders: tuple[Decoder, ...] | None = None) -> None:
        """`name` is the URL as it may be shown; without decoders it is those that exist here."""
        self._url = url
        self._name = name
        self.decoders = decoders

    def __call__(self) -> Capture:
        """Raise OSError if there is no camera, or nothing here to read it with."""
        knock(self._url, self._name, READ_TIMEOUT_MS / 1000)
        if self.decoders is None:
            self.decoders = decoders_here() if _over_gstreamer() else ()
        if not self.decoders:
            return open_stream(self._url, self._name)
        reasons: list[str] = []
        for decoder in self.decoders:
            if (capture := self._opened(decoder, reasons)) is not None:
                self.decoders = (decoder,)
                return capture
        raise OSError(f"no video at {self._name} over GStreamer, {'; '.join(reasons)}")

    def _opened(self, decoder: Decoder, reasons: list[str]) -> Capture | None:
        try:
            return open_pipeline(rtsp_pipeline(self._url, decoder))
        except OSError as error:
            reasons.append(f"with {decoder.name}: {error}")
            return None


def _over_gstreamer() -> bool:
    return has_gstreamer() and not missing_elements(NEEDS)
