"""The worst mistakes on one page."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.devices.contact_sheet import (
    COLUMNS,
    LINE,
    ORANGE,
    RED,
    TILE_WH,
    contact_sheet,
    write_png,
)
from stopline.devices.evaluation import Evaluation, evaluate
from tests.devices.labelled import Answers, Found, Shot, a_set

HERE = (8.0, 8.0, 24.0, 40.0)
ROW = TILE_WH[1] + 2 * LINE


def evaluation(folder: Path, boxes: int, answer: list[Found]) -> Evaluation:
    shot = Shot([("car", (8.0 * at, 8.0, 8.0 * at + 8, 16.0)) for at in range(boxes)])
    return evaluate(Answers(answer), a_set(folder, shot))


def test_without_a_mistake_it_is_two_headings() -> None:
    assert contact_sheet([], []).shape == (2 * LINE, TILE_WH[0] * COLUMNS, 3)


def test_one_miss_is_one_tile_marked_in_red(tmp_path: Path) -> None:
    sheet = contact_sheet(evaluation(tmp_path, 1, []).missed, [])
    assert sheet.shape[0] == 2 * LINE + ROW
    assert (sheet == RED).all(axis=2).any()
    assert not (sheet == ORANGE).all(axis=2).any()


def test_a_false_one_is_marked_in_orange_in_a_row_of_its_own(tmp_path: Path) -> None:
    got = evaluation(tmp_path, 5, [("person", (50, 20, 90, 60), 0.9)])
    sheet = contact_sheet(got.missed, got.false)
    assert sheet.shape[0] == 2 * LINE + 3 * ROW
    assert (sheet[-ROW:] == ORANGE).all(axis=2).any()


@pytest.mark.parametrize("box", [(0, 0, 96, 64), (95, 63, 96, 64), (0, 0, 1, 1), (90, 0, 96, 64)])
def test_boxes_at_the_edges_are_shown(tmp_path: Path, box: tuple[float, ...]) -> None:
    edge = (box[0], box[1], box[2], box[3])
    got = evaluate(Answers([]), a_set(tmp_path, Shot([("car", edge)])))
    assert (contact_sheet(got.missed, []) == RED).all(axis=2).any()


def test_the_png_is_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    got = evaluation(tmp_path / "set", 1, [])
    sheet = contact_sheet(got.missed, got.false)
    where = tmp_path / "worst.png"
    where.write_text("an older one")
    write_png(sheet, where)
    read = cv2.imdecode(np.frombuffer(where.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read, sheet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "worst.png"]
