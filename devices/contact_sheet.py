"""The worst mistakes of a detector on one page, each cut out of its image with its surroundings."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from stopline.devices.coco import load_image
from stopline.devices.mistakes import Mistake
from stopline.devices.whole_file import write_whole
from stopline.runtime.arrays import Image
from stopline.runtime.letterbox import letterbox

Colour: TypeAlias = tuple[int, int, int]  # BGR

COLUMNS = 4
TILE_WH = (320, 240)
LINE = 20  # pixels, of text
SURROUNDINGS = 2.5  # a box alone does not show what it is
LEAST_SIDE = 96  # pixels of the image in a tile; fewer are a blur
BACKGROUND, PAPER, INK = 40, 24, (230, 230, 230)
RED, ORANGE = (60, 60, 255), (0, 165, 255)  # BGR


def contact_sheet(missed: Sequence[Mistake], false: Sequence[Mistake]) -> Image:
    """(h, 1280, 3): the missed labels in red, below them the false detections in orange."""
    return np.vstack(
        [
            _text_line(f"Missed, the largest first: {len(missed)}", COLUMNS, 0.6),
            *_rows([_tile(mistake, RED, "seen as") for mistake in missed]),
            _text_line(f"Not there, the highest score first: {len(false)}", COLUMNS, 0.6),
            *_rows([_tile(mistake, ORANGE, "found on") for mistake in false]),
        ]
    )


def write_png(sheet: Image, where: Path) -> None:
    """The whole file appears, or none of it; raises OSError if it cannot be written."""
    write_whole(cv2.imencode(".png", sheet)[1].tobytes(), where)


def _rows(tiles: list[Image]) -> list[Image]:
    blank = np.full((TILE_WH[1] + 2 * LINE, TILE_WH[0], 3), PAPER, np.uint8)
    tiles = tiles + [blank] * (-len(tiles) % COLUMNS)
    return [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]


def _tile(mistake: Mistake, colour: Colour, confused: str) -> Image:
    """(240 + two lines, 320, 3)"""
    x0, y0, x1, y1 = _window(mistake)
    tile = np.empty((TILE_WH[1], TILE_WH[0], 3), np.uint8)
    shown = load_image(mistake.image)[y0:y1, x0:x1]
    fit = letterbox(shown, tile, "letterbox_center", BACKGROUND)
    box = fit.input_from_frame(np.array([mistake.box], np.float32) - (x0, y0, x0, y0))[0]
    left, top, right, bottom = box.round().astype(int).tolist()
    cv2.rectangle(tile, (left, top), (right, bottom), colour, 2)
    caption = _caption(mistake, confused)
    return np.vstack([tile, _text_line(caption), _text_line(_tail(mistake.image.path))])


def _window(mistake: Mistake) -> tuple[int, int, int, int]:
    """xyxy of what is shown of the image, at the shape of a tile where the image allows it."""
    x0, y0, x1, y1 = mistake.box
    aspect = TILE_WH[0] / TILE_WH[1]
    height = max(SURROUNDINGS * max((x1 - x0) / aspect, y1 - y0), LEAST_SIDE)
    across = _span((x0 + x1) / 2, height * aspect, mistake.image.width)
    down = _span((y0 + y1) / 2, height, mistake.image.height)
    return across[0], down[0], across[1], down[1]


def _span(centre: float, length: float, edge: int) -> tuple[int, int]:
    """From and to, shifted rather than cut off at the edges of the image."""
    length = min(length, edge)
    start = min(max(centre - length / 2, 0), edge - length)
    return int(start), min(edge, int(start + length) + 1)


def _caption(mistake: Mistake, confused: str) -> str:
    x0, y0, x1, y1 = mistake.box
    other = "" if mistake.confused_with is None else f", {confused} {mistake.confused_with}"
    score = "" if mistake.score is None else f" {mistake.score:.2f}"
    return f"{mistake.name}{other}{score}, {x1 - x0:.0f}x{y1 - y0:.0f} px"


def _tail(path: Path, most: int = 38) -> str:
    shown = f"{path.parent.name}/{path.name}"
    return shown if len(shown) <= most else f"..{shown[2 - most :]}"


def _text_line(text: str, columns: int = 1, scale: float = 0.42) -> Image:
    line = np.full((LINE, TILE_WH[0] * columns, 3), PAPER, np.uint8)
    plain = text.encode("ascii", "replace").decode()  # all that OpenCV's fonts have
    at = (6, LINE - 6)
    cv2.putText(line, plain, at, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, cv2.LINE_AA)
    return line
