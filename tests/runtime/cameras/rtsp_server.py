"""A real RTSP camera for the tests: GStreamer's server, in a process that can be killed.

    /usr/bin/python3 rtsp_server.py PORT WIDTHxHEIGHT

Every frame is white: one decoded without its key frame is not. Run by the system's Python, which
has GStreamer's bindings; the tests never import it.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - only after the versions

port, size = sys.argv[1], sys.argv[2]
width, height = size.split("x")
Gst.init(None)
server = GstRtspServer.RTSPServer(service=port, address="127.0.0.1")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    f"( videotestsrc is-live=true pattern=white ! video/x-raw,width={width},height={height},"
    "framerate=30/1,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! "
    "rtph264pay name=pay0 config-interval=1 )"
)
server.get_mount_points().add_factory("/road", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
