"""Block letters as strokes, for signs and shop fronts: the same in every version of OpenCV."""

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.projection import Floats

ASPECT = 0.46  # width of a letter as a share of its height
Stroke = list[tuple[float, float]]


def _arc(cx: float, cy: float, rx: float, ry: float, degrees: tuple[float, float]) -> Stroke:
    turns = np.radians(np.linspace(*degrees, 13))
    return [(cx + rx * float(np.cos(a)), cy + ry * float(np.sin(a))) for a in turns]


_O = _arc(0.5, 0.5, 0.5, 0.5, (0, 360))
_S = _arc(0.5, 0.26, 0.5, 0.26, (-20, -180)) + _arc(0.5, 0.26, 0.5, 0.24, (180, 90))[1:]
_S += _arc(0.5, 0.75, 0.5, 0.25, (-90, 90)) + _arc(0.5, 0.74, 0.5, 0.26, (90, 160))[1:]
_BOW = [(0, 1), (0, 0), (0.5, 0), *_arc(0.5, 0.28, 0.5, 0.28, (-90, 90)), (0, 0.56)]
# x to the right, y down, both 0..1 within the letter
STROKES: dict[str, list[Stroke]] = {
    "A": [[(0, 1), (0.5, 0), (1, 1)], [(0.18, 0.66), (0.82, 0.66)]],
    "B": [[*_BOW, (0.5, 0.56), *_arc(0.5, 0.78, 0.5, 0.22, (-90, 90)), (0, 1)]],
    "C": [_arc(0.5, 0.5, 0.5, 0.5, (-50, -310))],
    "E": [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, 0.5), (0.8, 0.5)]],
    "F": [[(1, 0), (0, 0), (0, 1)], [(0, 0.5), (0.8, 0.5)]],
    "H": [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0.5), (1, 0.5)]],
    "I": [[(0.5, 0), (0.5, 1)]],
    "K": [[(0, 0), (0, 1)], [(1, 0), (0, 0.6)], [(0.35, 0.42), (1, 1)]],
    "L": [[(0, 0), (0, 1), (1, 1)]],
    "M": [[(0, 1), (0, 0), (0.5, 0.7), (1, 0), (1, 1)]],
    "N": [[(0, 1), (0, 0), (1, 1), (1, 0)]],
    "O": [_O],
    "P": [_BOW],
    "R": [_BOW, [(0.45, 0.56), (1, 1)]],
    "S": [_S],
    "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
    "U": [[(0, 0), (0, 0.6), *_arc(0.5, 0.6, 0.5, 0.4, (180, 0)), (1, 0)]],
    "V": [[(0, 0), (0.5, 1), (1, 0)]],
    "W": [[(0, 0), (0.25, 1), (0.5, 0.3), (0.75, 1), (1, 0)]],
    "Y": [[(0, 0), (0.5, 0.5), (1, 0)], [(0.5, 0.5), (0.5, 1)]],
    "0": [_O],
    "2": [[*_arc(0.5, 0.3, 0.5, 0.3, (-170, 40)), (0, 1), (1, 1)]],
    "3": [_arc(0.5, 0.26, 0.5, 0.26, (-160, 90)) + _arc(0.5, 0.75, 0.5, 0.25, (-90, 160))],
    "4": [[(0.75, 1), (0.75, 0), (0, 0.7), (1, 0.7)]],
    "5": [[(1, 0), (0.1, 0), (0, 0.45), *_arc(0.45, 0.69, 0.55, 0.31, (-100, 150))]],
    "6": [[(0.8, 0), *_arc(0.5, 0.68, 0.5, 0.32, (-170, 190))]],
    "7": [[(0, 0), (1, 0), (0.35, 1)]],
    "8": [_arc(0.5, 0.25, 0.45, 0.25, (0, 360)), _arc(0.5, 0.75, 0.5, 0.25, (0, 360))],
}


def write(
    image: Image, text: str, middle_xy: Floats, height: float, ink: tuple[Colour, float]
) -> None:
    """Write `text` around a middle; `ink` is the colour and the stroke's share of the height."""
    colour, weight = ink
    letter, gap = height * ASPECT, height * (0.09 + weight)
    left = middle_xy[0] - (len(text) * letter + (len(text) - 1) * gap) / 2
    for k, character in enumerate(text):
        corner = np.array([left + k * (letter + gap), middle_xy[1] - height / 2])
        for stroke in STROKES.get(character, []):
            points = np.rint((corner + np.array(stroke) * [letter, height]) * 16).astype(np.int32)
            cv2.polylines(
                image, [points], False, colour, max(1, round(weight * height)), cv2.LINE_AA, 4
            )
