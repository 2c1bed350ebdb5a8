"""Who decodes a video stream in GStreamer: pipelines as data, the best first."""

from dataclasses import dataclass

from stopline.runtime.cameras.gstreamer_elements import missing_elements


@dataclass(frozen=True, slots=True)
class Decoder:
    """From an encoded stream to raw video in the machine's own memory."""

    name: str
    needs: tuple[str, ...]  # elements; where all exist it is tried
    pipeline: str


# parsebin takes the stream out of its packets, whatever its codec. A decoder for another codec
# fails to open, and the next is tried; the last takes everything, as FFmpeg does.
DECODERS = (
    Decoder(
        "a Jetson's decoder",
        ("parsebin", "nvv4l2decoder", "nvvidconv"),
        # nvvidconv copies out of the hardware's memory (NVMM), and knows BGRx but not BGR.
        "parsebin ! nvv4l2decoder enable-max-performance=true ! nvvidconv ! "
        "video/x-raw,format=BGRx",
    ),
    Decoder("NVIDIA's H.264 decoder", ("parsebin", "nvh264dec"), "parsebin ! nvh264dec"),
    Decoder("NVIDIA's H.265 decoder", ("parsebin", "nvh265dec"), "parsebin ! nvh265dec"),
    Decoder("VA-API's H.264 decoder", ("parsebin", "vah264dec"), "parsebin ! vah264dec"),
    Decoder("VA-API's H.265 decoder", ("parsebin", "vah265dec"), "parsebin ! vah265dec"),
    Decoder("software", ("decodebin",), "decodebin"),
)


def decoders_here() -> tuple[Decoder, ...]:
    """Those whose elements exist on this machine, whatever it is called."""
    return tuple(one for one in DECODERS if not missing_elements(one.needs))
