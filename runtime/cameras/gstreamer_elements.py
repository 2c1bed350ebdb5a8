"""What the machine's GStreamer has, and what it finds wrong with a pipeline."""

from collections.abc import Iterable

from stopline.runtime.cameras.gstreamer_library import library


def missing_elements(names: Iterable[str]) -> list[str]:
    """Those of the named elements that GStreamer does not have here; all, where there is none."""
    return [name for name in names if not _exists(name)]


def parse_error(pipeline: str) -> str | None:
    """What is wrong with the text of a pipeline, which OpenCV does not tell; None if nothing."""
    try:
        gst = library()
    except OSError:  # who has no GStreamer is told so elsewhere
        return None
    try:
        parsed = gst.parsed(pipeline)
    except OSError as error:
        return str(error)
    gst.gst_object_unref(parsed)
    return None


def _exists(name: str) -> bool:
    try:
        gst = library()
    except OSError:
        return False
    factory = gst.gst_element_factory_find(name.encode())
    if factory:
        gst.gst_object_unref(factory)
    return bool(factory)
