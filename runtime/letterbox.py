"""A frame of any size laid into the one size the graph takes."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from stopline.runtime.arrays import Boxes, Image

Resize = Literal["letterbox_top_left", "letterbox_center", "stretch"]


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the frame lies in the input: `input = frame * scale + offset`."""

    frame_wh: tuple[int, int]
    scale_xy: tuple[float, float]
    offset_xy: tuple[int, int]

    def frame_from_input(self, boxes: Boxes) -> Boxes:
        """(n, 4) xyxy in input pixels → float32 in frame pixels, clipped to the frame."""
        offset = np.array(self.offset_xy * 2, np.float32)
        scale = np.array(self.scale_xy * 2, np.float32)
        edge = np.array(self.frame_wh * 2, np.float32)
        framed: Boxes = np.clip((boxes - offset) / scale, 0, edge)
        return framed.astype(np.float32, copy=False)

    def input_from_frame(self, boxes: Boxes) -> Boxes:
        """(n, 4) xyxy in frame pixels → float32 in input pixels, not clipped."""
        offset = np.array(self.offset_xy * 2, np.float32)
        scale = np.array(self.scale_xy * 2, np.float32)
        return (boxes * scale + offset).astype(np.float32, copy=False)


def fit_into(frame_wh: tuple[int, int], input_wh: tuple[int, int], resize: Resize) -> Fit:
    """The placement alone, without touching pixels."""
    (frame_w, frame_h), (input_w, input_h) = frame_wh, input_wh
    if resize == "stretch":
        return Fit(frame_wh, (input_w / frame_w, input_h / frame_h), (0, 0))
    scale = min(input_w / frame_w, input_h / frame_h)
    if resize == "letterbox_top_left":
        return Fit(frame_wh, (scale, scale), (0, 0))
    laid_w, laid_h = _laid_wh(frame_wh, scale)
    return Fit(frame_wh, (scale, scale), ((input_w - laid_w) // 2, (input_h - laid_h) // 2))


def letterbox(frame: Image, into: Image, resize: Resize, pad: int) -> Fit:
    """Scale `frame` (bilinear) straight into the preallocated `into`; the rest becomes `pad`.

    The laid size is rounded down, as YOLOX does, so that boxes agree with it to the pixel.
    """
    input_h, input_w = into.shape[:2]
    frame_h, frame_w = frame.shape[:2]
    fit = fit_into((frame_w, frame_h), (input_w, input_h), resize)
    if resize == "stretch":
        cv2.resize(frame, (input_w, input_h), dst=into)
        return fit
    laid_w, laid_h = _laid_wh(fit.frame_wh, fit.scale_xy[0])
    x, y = fit.offset_xy
    into[:y], into[y + laid_h :] = pad, pad
    into[y : y + laid_h, :x], into[y : y + laid_h, x + laid_w :] = pad, pad
    laid = into[y : y + laid_h, x : x + laid_w]
    cv2.resize(frame, (laid_w, laid_h), dst=laid)
    return fit


def _laid_wh(frame_wh: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, int(frame_wh[0] * scale)), max(1, int(frame_wh[1] * scale))
