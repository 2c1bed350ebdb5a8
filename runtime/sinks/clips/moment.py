"""What a camera gave at one moment, small enough to keep in case something happens."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from stopline.runtime.alerts.zones import Point
from stopline.runtime.arrays import Image
from stopline.runtime.frame import Result
from stopline.runtime.letterbox import letterbox
from stopline.runtime.sinks.draw import PALETTE, SLATE, drawn

JPEG_QUALITY = 80  # 40 dB and 25 KiB at 640x360; it is compressed once more in the clip
ZONE_COLOUR = PALETTE[3]


@dataclass(frozen=True, slots=True)
class Moment:
    """`result` without its image, which is `jpeg`, smaller than it was by `scale`."""

    at_s: float
    result: Result
    jpeg: bytes = b""  # none when nobody knows what the camera sees
    scale: float = 1.0

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        return len(self.jpeg) + 2048


def moment_of(result: Result, at_s: float, longest_side: int) -> Moment:
    """With a picture whose longer side is at most so many pixels, even, as it gets."""
    if result.frame is None:
        return Moment(at_s, result)
    image = result.frame.image
    scale = min(1.0, longest_side / max(image.shape[:2]))
    if scale < 1:
        height, width = (max(2, round(side * scale)) for side in image.shape[:2])
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return Moment(at_s, result.without_image(), jpeg.tobytes(), scale)


def picture(
    moment: Moment, size_wh: tuple[int, int] | None, zones: Sequence[Sequence[Point]]
) -> Image:
    """The moment as a person is to see it, zones and all; in its own size without a `size_wh`."""
    result = moment.result
    if result.frame is not None:
        image = np.asarray(cv2.imdecode(np.frombuffer(moment.jpeg, np.uint8), cv2.IMREAD_COLOR))
        for zone in zones:
            _outline(image, zone)
        frame = replace(result.frame, image=image)
        boxes = result.detections.boxes * moment.scale
        result = replace(result, frame=frame, detections=replace(result.detections, boxes=boxes))
    image = drawn(result, size_wh)
    if size_wh is None or image.shape[1::-1] == size_wh:
        return image
    canvas = np.empty((size_wh[1], size_wh[0], 3), np.uint8)
    letterbox(image, canvas, "letterbox_center", SLATE[0])
    return canvas


class Ring:
    """The latest moments of one camera, bounded in time as in memory."""

    def __init__(self, longest_s: float, most_bytes: int) -> None:
        self._longest_s = longest_s
        self._most_bytes = most_bytes
        self._moments: deque[Moment] = deque()
        self.bytes = 0

    def add(self, moment: Moment) -> None:
        """The newest; the oldest go for it."""
        if self._moments and moment.at_s < self._moments[-1].at_s:
            self.clear()  # another scene, with a time of its own
        self._moments.append(moment)
        self.bytes += moment.bytes
        while self.bytes > self._most_bytes or self._oldest_s < moment.at_s - self._longest_s:
            self.bytes -= self._moments.popleft().bytes
            if not self._moments:
                return

    def clear(self) -> None:
        """Forget everything."""
        self._moments.clear()
        self.bytes = 0

    @property
    def newest(self) -> Moment | None:
        """None if there is none."""
        return self._moments[-1] if self._moments else None

    def since(self, at_s: float) -> list[Moment]:
        """Those from then on, the oldest first."""
        return [moment for moment in self._moments if moment.at_s >= at_s]

    @property
    def _oldest_s(self) -> float:
        return self._moments[0].at_s


def _outline(image: Image, zone: Sequence[Point]) -> None:
    height, width = image.shape[:2]
    corners = np.round(np.array(zone) * (width, height)).astype(np.int32)
    cv2.polylines(image, [corners], True, ZONE_COLOUR, 1, cv2.LINE_AA)
