"""GStreamer's library by ctypes: a board has it with its OpenCV, but often not its bindings.

Only functions and structures that its version 1 has kept the same since 2012 (try_pull: 2016).
"""

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

GSTREAMER, GSTREAMER_APP = "libgstreamer-1.0.so.0", "libgstapp-1.0.so.0"
POINTER, WHOLE, UNSIGNED, TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p


class Error(ctypes.Structure):
    """GLib's GError."""

    _fields_ = (("domain", ctypes.c_uint32), ("code", WHOLE), ("message", TEXT))


class Object(ctypes.Structure):
    """GstMiniObject."""

    _fields_ = (
        ("type", ctypes.c_size_t),
        ("references", WHOLE),
        ("locks", WHOLE),
        ("flags", UNSIGNED),
        ("copy", POINTER),
        ("dispose", POINTER),
        ("free", POINTER),
        ("private_number", UNSIGNED),
        ("private_pointer", POINTER),
    )


class Buffer(ctypes.Structure):
    """The head of a GstBuffer."""

    _fields_ = (("object", Object), ("pool", POINTER), ("pts", ctypes.c_uint64))


ErrorPointer = ctypes.POINTER(Error)
# Of each function what it gives, and what it takes.
FUNCTIONS = {
    "gst_init_check": (WHOLE, POINTER, POINTER, POINTER),
    "gst_parse_launch": (POINTER, TEXT, ctypes.POINTER(ErrorPointer)),
    "gst_element_factory_find": (POINTER, TEXT),
    "gst_object_unref": (None, POINTER),
    "gst_mini_object_unref": (None, POINTER),
    "gst_bin_get_by_name": (POINTER, POINTER, TEXT),
    "gst_element_get_bus": (POINTER, POINTER),
    "gst_element_set_state": (WHOLE, POINTER, WHOLE),
    "gst_bus_pop_filtered": (POINTER, POINTER, WHOLE),
    "gst_message_parse_error": (
        *(None, POINTER),
        *(ctypes.POINTER(ErrorPointer), ctypes.POINTER(POINTER)),
    ),
    "g_free": (None, POINTER),
    "g_error_free": (None, ErrorPointer),
    "gst_sample_get_buffer": (POINTER, POINTER),
    "gst_sample_get_caps": (POINTER, POINTER),
    "gst_caps_get_structure": (POINTER, POINTER, UNSIGNED),
    "gst_structure_get_int": (WHOLE, POINTER, TEXT, ctypes.POINTER(WHOLE)),
    "gst_structure_get_fraction": (
        *(WHOLE, POINTER, TEXT),
        *(ctypes.POINTER(WHOLE), ctypes.POINTER(WHOLE)),
    ),
    "gst_buffer_get_size": (ctypes.c_size_t, POINTER),
    "gst_buffer_extract": (
        *(ctypes.c_size_t, POINTER),
        *(ctypes.c_size_t, POINTER, ctypes.c_size_t),
    ),
}
APP_FUNCTIONS = {
    "gst_app_sink_try_pull_sample": (POINTER, POINTER, ctypes.c_uint64),
    "gst_app_sink_is_eos": (WHOLE, POINTER),
}


class Library(ctypes.CDLL):
    """GStreamer, initialised."""

    def parsed(self, pipeline: str) -> int:
        """A pipeline, which is the caller's to unref; raises OSError with what is wrong with it."""
        error = ErrorPointer()
        made: int | None = self.gst_parse_launch(pipeline.encode(), ctypes.byref(error))
        if not error:
            assert made is not None
            return made
        reason = error.contents.message.decode(errors="replace")
        self.g_error_free(error)
        if made is not None:
            self.gst_object_unref(made)
        raise OSError(reason)


@cache
def library() -> Library:
    """Raise OSError where there is no GStreamer. OpenCV initialises it too, which does no harm."""
    found = Library(GSTREAMER)
    _declare(found, FUNCTIONS)
    if not found.gst_init_check(None, None, None):
        raise OSError("GStreamer cannot be initialised")
    return found


@cache
def app_library() -> ctypes.CDLL:
    """Raise OSError where there is none."""
    found = ctypes.CDLL(GSTREAMER_APP)
    _declare(found, APP_FUNCTIONS)
    return found


def _declare(found: ctypes.CDLL, functions: Mapping[str, Sequence[Any]]) -> None:
    for name, (gives, *takes) in functions.items():
        function = getattr(found, name)
        function.restype, function.argtypes = gives, takes
