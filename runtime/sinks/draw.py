"""Results drawn onto their frames, so that a person sees what was found, and how old that is."""

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import short_name
from stopline.runtime.detections import Detection
from stopline.runtime.frame import CameraState, Result

Colour = tuple[int, int, int]  # BGR

# Okabe and Ito, "Color Universal Design" (2008): told apart by people of any colour vision.
PALETTE: tuple[Colour, ...] = (
    (0, 159, 230),  # orange
    (233, 180, 86),  # sky blue
    (115, 158, 0),  # bluish green
    (66, 228, 240),  # yellow
    (178, 114, 0),  # blue
    (0, 94, 213),  # vermilion
    (167, 121, 204),  # reddish purple
    (255, 255, 255),
)
BLACK, WHITE, SLATE = (0, 0, 0), (255, 255, 255), (48, 44, 40)
STATE_COLOURS = {
    CameraState.CONNECTING: PALETTE[1],
    CameraState.LIVE: PALETTE[2],
    CameraState.STALE: PALETTE[0],
    CameraState.LOST: PALETTE[5],
    CameraState.ENDED: PALETTE[7],
}
FONT = cv2.FONT_HERSHEY_SIMPLEX
LONGEST_NAME = 40  # characters
REFERENCE_PX = 720  # the shorter side at which scale 1 looks right


def drawn(result: Result, size_wh: tuple[int, int] | None = None) -> Image:
    """The frame with boxes, labels, state and age; without a frame, a slate of `size_wh`.

    A slate, not the last frame: what the camera saw before it was lost is not what it sees.
    """
    if result.frame is None:
        width, height = size_wh or (640, 360)
        image = np.full((height, width, 3), SLATE, np.uint8)
    else:
        image = result.frame.image.copy()
    for found in result.detections:
        colour = PALETTE[result.detections.names.index(found.name) % len(PALETTE)]
        _draw_box(image, found, colour)
    _draw_banner(image, result)
    return image


def _draw_box(image: Image, found: Detection, colour: Colour) -> None:
    x0, y0, x1, y1 = (round(edge) for edge in found.box)
    line = _line_px(image)
    # A dark line around the bright one: seen before a bright sky as well as before a dark road.
    cv2.rectangle(image, (x0, y0), (x1, y1), BLACK, line + 2)
    cv2.rectangle(image, (x0, y0), (x1, y1), colour, line)
    number = "" if found.track is None else f" #{found.track}"
    _draw_text(image, f"{found.name} {found.score:.2f}{number}", (x0, y0), colour)


def _draw_banner(image: Image, result: Result) -> None:
    age = "" if result.age_ms is None else f" {result.age_ms:.0f} ms"
    text = f"{short_name(result.camera, LONGEST_NAME)} {result.state.value}{age}"
    _draw_text(image, text, (0, 0), STATE_COLOURS[result.state])


def _draw_text(image: Image, text: str, corner_xy: tuple[int, int], ground: Colour) -> None:
    """On a ground above the corner, or below and left of it where the image ends."""
    scale = _scale(image)
    line = max(1, round(scale))
    (width, height), below = cv2.getTextSize(text, FONT, scale, line)
    x = max(0, min(corner_xy[0], image.shape[1] - width))
    y = max(height + below, corner_xy[1])
    cv2.rectangle(image, (x, y - height - below), (x + width, y), ground, cv2.FILLED)
    ink = BLACK if _luminance(ground) > 110 else WHITE
    cv2.putText(image, text, (x, y - below // 2), FONT, scale, ink, line, cv2.LINE_AA)


def _luminance(colour: Colour) -> float:
    """0..255, ITU-R BT.709."""
    blue, green, red = colour
    return 0.0722 * blue + 0.7152 * green + 0.2126 * red


def _scale(image: Image) -> float:
    return max(0.35, 0.7 * _short_px(image) / REFERENCE_PX)


def _line_px(image: Image) -> int:
    return max(1, round(2 * _short_px(image) / REFERENCE_PX))


def _short_px(image: Image) -> int:
    return int(min(image.shape[:2]))
