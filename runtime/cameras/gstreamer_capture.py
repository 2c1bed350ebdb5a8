"""A GStreamer pipeline read frame by frame, with each frame's own time stamp, by ctypes.

OpenCV's reader tells the sink's position instead, which GStreamer caps at its own clock: what was
held up looks new. It also waits for ever before version 4.7, keeps errors to itself, and leaves a
pipeline that fails to start half alive. This has the part of OpenCV's surface that a camera needs.
"""

import ctypes
import math
import time

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.gstreamer_library import Buffer, ErrorPointer, app_library, library
from stopline.runtime.cameras.password import without_passwords

SINK = "appsink-frames"  # what it is called
STATE_NULL, STATE_PLAYING = 1, 4
CHANGE_FAILED = 0
MESSAGE_ERROR = 2
SLICE_NS = 50_000_000  # how late an error may be seen while no frame comes
NO_TIME = 2**64 - 1


class GStreamerCapture:
    """Open once its first frame is there, which is the first to be grabbed."""

    def __init__(self, pipeline: str, open_within_s: float, read_within_s: float) -> None:
        """Raise OSError with GStreamer's reason if no frame comes in time."""
        self._gst, self._app = library(), app_library()
        self._read_within_s = read_within_s
        self._sample: int | None = None
        self._waiting = False  # the first sample was pulled, but not grabbed
        self.error = "no frame came"
        self._pipeline: int | None = self._gst.parsed(pipeline)
        self._sink = self._gst.gst_bin_get_by_name(self._pipeline, SINK.encode())
        self._bus = self._gst.gst_element_get_bus(self._pipeline)
        state = self._gst.gst_element_set_state(self._pipeline, STATE_PLAYING)
        self._waiting = self._pull(0 if state == CHANGE_FAILED else open_within_s)
        if not self._waiting:
            self.release()
            raise OSError(self.error)

    def grab(self) -> bool:
        """Wait for the next frame; False when none came in time, or none will."""
        if self._waiting:
            self._waiting = False
            return True
        return self._pull(self._read_within_s)

    def retrieve(self) -> tuple[bool, Image]:
        """The frame that was grabbed, as (h, w, 3) BGR; its rows may be padded to 4 bytes."""
        width, height = self._whole("width"), self._whole("height")
        buffer = self._gst.gst_sample_get_buffer(self._sample)
        size = self._gst.gst_buffer_get_size(buffer)
        rows = np.empty((height, size // height), np.uint8)
        self._gst.gst_buffer_extract(buffer, 0, rows.ctypes.data, rows.size)
        return True, np.ascontiguousarray(rows[:, : width * 3]).reshape(height, width, 3)

    def get(self, what: int) -> float:
        """The stamp of the frame in milliseconds, NaN if it has none; the stream's rate, or 0."""
        if what == cv2.CAP_PROP_POS_MSEC:
            address = self._gst.gst_sample_get_buffer(self._sample)
            stamp = Buffer.from_address(address).pts
            return math.nan if stamp == NO_TIME else stamp / 1e6
        over, under = ctypes.c_int(0), ctypes.c_int(1)
        self._gst.gst_structure_get_fraction(
            self._structure(), b"framerate", ctypes.byref(over), ctypes.byref(under)
        )
        return over.value / (under.value or 1) if what == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        """Stop the pipeline and give everything back."""
        if self._pipeline is None:
            return
        self._drop_sample()
        self._gst.gst_element_set_state(self._pipeline, STATE_NULL)
        for held in (self._bus, self._sink, self._pipeline):
            self._gst.gst_object_unref(held)
        self._pipeline = None

    def _pull(self, within_s: float) -> bool:
        self._drop_sample()
        deadline_s = time.monotonic() + within_s
        while self._sample is None:
            self._sample = self._app.gst_app_sink_try_pull_sample(self._sink, SLICE_NS)
            if self._sample is None and (self._failed() or time.monotonic() > deadline_s):
                return False
        return True

    def _failed(self) -> bool:
        message = self._gst.gst_bus_pop_filtered(self._bus, MESSAGE_ERROR)
        if message is None:
            return bool(self._app.gst_app_sink_is_eos(self._sink))
        error, details = ErrorPointer(), ctypes.c_void_p()
        self._gst.gst_message_parse_error(message, ctypes.byref(error), ctypes.byref(details))
        said = error.contents.message.decode(errors="replace")
        if details:  # where in GStreamer's source, and in its last line why
            lines = ctypes.string_at(details.value or 0).decode(errors="replace").splitlines()
            said = " ".join([said, *lines[-1:]])
            self._gst.g_free(details)
        self._gst.g_error_free(error)
        self._gst.gst_mini_object_unref(message)
        self.error = without_passwords(said)
        return True

    def _drop_sample(self) -> None:
        if self._sample is not None:
            self._gst.gst_mini_object_unref(self._sample)
            self._sample = None

    def _structure(self) -> int:
        caps = self._gst.gst_sample_get_caps(self._sample)
        return int(self._gst.gst_caps_get_structure(caps, 0))

    def _whole(self, field: str) -> int:
        value = ctypes.c_int()
        self._gst.gst_structure_get_int(self._structure(), field.encode(), ctypes.byref(value))
        return value.value
