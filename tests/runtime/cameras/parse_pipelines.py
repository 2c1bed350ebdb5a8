"""GStreamer's own parser over pipelines whose elements this machine need not have.

    /usr/bin/python3 parse_pipelines.py < pipelines.json     a list of texts

Prints for each what is wrong with it, null if nothing, and the address it reads. An element that is
missing is stood in for by one with the pads and properties that its maker documents, so that
syntax, properties and what can be linked are checked all the same. Run by the system's Python; the
tests never import it.
"""

import ctypes
import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, GObject, Gst  # noqa: E402 - only after the version

Gst.init(None)
Gst.debug_set_default_threshold(Gst.DebugLevel.NONE)
NVMM = "video/x-raw(memory:NVMM)"
STREAMS = "video/x-h264,stream-format=byte-stream,alignment=au; image/jpeg; " + (
    "video/x-h265,stream-format=byte-stream,alignment=au"
)
H264, H265 = "video/x-h264,alignment=au", "video/x-h265,alignment=au"
RAW = "video/x-raw,format=NV12"
CUDA, VA = "video/x-raw(memory:CUDAMemory),format=NV12", "video/x-raw(memory:VAMemory),format=NV12"
# By NVIDIA's Accelerated GStreamer and DeepStream guides (no BGR out of nvvidconv, NVMM alone out
# of the decoder) and GStreamer's documentation of its nvcodec and va plugins.
MADE_OF: dict[str, tuple[str | None, str, dict[str, type]]] = {
    "nvv4l2decoder": (
        STREAMS,
        NVMM,
        dict.fromkeys(("enable-max-performance", "disable-dpb", "mjpeg"), bool),
    ),
    "nvjpegdec": ("image/jpeg", f"{NVMM}; video/x-raw,format=I420", {}),
    "nvvidconv": (
        f"{NVMM}; video/x-raw",
        f"{NVMM}; video/x-raw,format={{I420,NV12,GRAY8,YUY2,UYVY,BGRx,RGBA}}",
        {"flip-method": int},
    ),
    "nvarguscamerasrc": (None, f"{NVMM},format=NV12", {"sensor-id": int, "sensor-mode": int}),
    "nvh264dec": (H264, f"{CUDA}; {RAW}", {}),
    "nvh265dec": (H265, f"{CUDA}; {RAW}", {}),
    "vah264dec": (H264, f"{VA}; {RAW}", {}),
    "vah265dec": (H265, f"{VA}; {RAW}", {}),
}


def stand_in(name: str) -> None:
    """Register an element of that name."""
    sink, source, properties = MADE_OF[name]
    pads = [("sink", Gst.PadDirection.SINK, sink)] if sink else []
    pads.append(("src", Gst.PadDirection.SRC, source))
    templates = [
        Gst.PadTemplate.new(pad, way, Gst.PadPresence.ALWAYS, Gst.Caps.from_string(caps))
        for pad, way, caps in pads
    ]

    def build(self: "Gst.Element") -> None:
        Gst.Element.__init__(self)
        # The bindings count one reference too few for an element that the parser makes.
        ctypes.CDLL("libgobject-2.0.so.0").g_object_ref(ctypes.c_void_p(hash(self)))
        for template in templates:
            self.add_pad(Gst.Pad.new_from_template(template, template.name_template))

    flags = GObject.ParamFlags.READWRITE
    limits = {bool: (False,), int: (0, 2**31 - 1, 0)}
    members = {
        "__gproperties__": {
            one: (kind, one, one, *limits[kind], flags) for one, kind in properties.items()
        },
        "__init__": build,
        "do_set_property": lambda self, which, value: None,
    }
    kind = type(Gst.Element)(f"StandsInFor_{name}", (Gst.Element,), members)
    kind.set_metadata(name, "Stand-in", f"stands in for {name}", "stopline")
    for template in templates:
        kind.add_pad_template(template)
    assert Gst.Element.register(None, name, 0, kind)


def judged(text: str) -> tuple[str | None, str | None]:
    """What the parser says of it, and what it understood of the address."""
    heard.clear()
    try:
        pipeline = Gst.parse_launch(text)
    except GLib.Error as error:
        return "; ".join([str(error.message), *heard]), None
    made = {one.get_factory().get_name(): one for one in pipeline.children}
    read = made["rtspsrc"].get_property("location") if "rtspsrc" in made else None
    return "; ".join(heard) or mismatch(pipeline), read


def mismatch(pipeline: "Gst.Bin") -> str | None:
    """Why no video could come out of it."""
    ends = [one for one in pipeline.children if one.get_factory().get_name() == "appsink"]
    if len(ends) != 1:
        return f"{len(ends)} appsinks"
    if ends[0].get_static_pad("sink").peer_query_caps(None).is_empty():
        return "no format of video that all its elements share"
    return None


def note(domain: str, level: GLib.LogLevelFlags, message: str, data: object) -> None:
    """After a first mistake the parser only warns of others; nothing else may be printed."""
    if level & GLib.LogLevelFlags.LEVEL_WARNING:
        heard.append(message)


heard: list[str] = []
GLib.log_set_handler("GStreamer", GLib.LogLevelFlags.LEVEL_MASK, note, None)
for missing in MADE_OF:
    if Gst.ElementFactory.find(missing) is None:
        stand_in(missing)
print(json.dumps([judged(text) for text in json.load(sys.stdin)]))
