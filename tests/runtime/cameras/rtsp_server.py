"""A real RTSP camera for the tests: GStreamer's server, in a process that can be killed.

    /usr/bin/python3 rtsp_server.py PORT WIDTHxHEIGHT [FPS]

Every frame is white: one decoded without its key frame is not. In its upper rows stands, in black
and white blocks, when it was made, by the monotonic clock that all processes share. Run by the
system's Python, which has GStreamer's bindings; the tests never import it.
"""

import sys
import threading
import time

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - only after the versions

STAMP_BITS, STAMP_ROWS = 40, 32  # of milliseconds; `watch.py` reads them
BLACK, GREY, WHITE = 16, 128, 235  # of a video signal

port, size, fps = sys.argv[1], sys.argv[2], int([*sys.argv, "30"][3])
width, height = (int(side) for side in size.split("x"))
Gst.init(None)


def image(made_ms: int) -> bytes:
    """A frame in I420: all of its brightness, then all of its colour."""
    planes = np.full((height * 3 // 2, width), GREY, np.uint8)
    planes[:height] = WHITE
    cell = width // STAMP_BITS
    for bit in range(STAMP_BITS):
        if not made_ms >> bit & 1:
            planes[:STAMP_ROWS, bit * cell : (bit + 1) * cell] = BLACK
    return planes.tobytes()


def push(source: "Gst.Element") -> None:
    """Give a frame every 1/fps s until nobody takes them any more."""
    # Before it plays there is no time to stamp them with: the sink would wait for hours for one.
    while source.get_state(0).state != Gst.State.PLAYING:
        time.sleep(0.002)
    started, frames = time.monotonic(), 0
    flow = Gst.FlowReturn.OK
    while flow == Gst.FlowReturn.OK:
        time.sleep(max(0.0, started + frames / fps - time.monotonic()))
        made = Gst.Buffer.new_wrapped(image(time.monotonic_ns() // 1_000_000))
        flow = source.emit("push-buffer", made)
        frames += 1


def configure(factory: object, media: "GstRtspServer.RTSPMedia") -> None:
    """Begin to give frames once a client has asked for them."""
    source = media.get_element().get_by_name_recurse_up("camera")
    threading.Thread(target=push, args=(source,), daemon=True).start()


server = GstRtspServer.RTSPServer(service=port, address="127.0.0.1")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    f"( appsrc name=camera is-live=true do-timestamp=true format=time caps=video/x-raw,"
    f"format=I420,width={width},height={height},framerate={fps}/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! "
    "rtph264pay name=pay0 config-interval=1 )"
)
factory.connect("media-configure", configure)
server.get_mount_points().add_factory("/road", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
