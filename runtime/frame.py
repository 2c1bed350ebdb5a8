"""A frame, the state of the camera it came from, and what was found in it, with their times."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections

NO_IMAGE: Image = np.empty((0, 0, 3), np.uint8)


class CameraState(str, Enum):
    """What a consumer may conclude from a camera's silence."""

    CONNECTING = "CONNECTING"  # no frame yet
    LIVE = "LIVE"  # frames arrive
    STALE = "STALE"  # a frame is overdue
    LOST = "LOST"  # so long overdue that the scene is unknown
    ENDED = "ENDED"  # a file or stream that said it was over


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of one camera.

    `captured_ns` is `time.monotonic_ns()` when it was captured: by the source's own clock where it
    has one, else when it was grabbed.
    """

    camera: str
    index: int  # counts what the camera gave, dropped frames included
    captured_ns: int
    image: Image


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of one camera at one moment.

    `frame` is None, and there are no detections, when the state is not LIVE.
    `dropped` counts the frames lost since this camera's last result, those included that are
    `missed`: whose answer would have been older than the deadline.
    `stages_ns` are the clocks of this result; `age_ns` is its age at publication.
    `scene_ns` is when the scene looked like that: the capture, but of a file the time in it; None
    where frames need not show one scene, as in a folder of images.
    """

    camera: str
    state: CameraState
    frame: Frame | None
    detections: Detections
    age_ns: int | None = None
    dropped: int = 0
    missed: int = 0
    stages_ns: Mapping[str, int] = field(default_factory=dict)
    scene_ns: int | None = None

    @property
    def age_ms(self) -> float | None:
        """Milliseconds from capture to publication; None without a frame."""
        return None if self.age_ns is None else self.age_ns / 1e6

    def without_image(self) -> "Result":
        """The same, keeping no pixels alive: its frame has an image of no size."""
        if self.frame is None:
            return self
        return replace(self, frame=replace(self.frame, image=NO_IMAGE))
