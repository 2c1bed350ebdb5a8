"""SimOTA on cases small enough to see."""

import torch
from torch import Tensor

from stopline.train.assignment import REACH, assign
from stopline.train.marks import Marks
from stopline.train.yolox import grid_of
from tests.train.tiny import CLASSES, marks

GRID = grid_of((64, 64))


def unsure() -> Tensor:
    raw = torch.zeros(len(GRID.stride), 5 + len(CLASSES))
    raw[:, 4:] = -3
    return raw


def test_no_objects_need_no_cells() -> None:
    raw = unsure()
    assert len(assign(raw, GRID.decode(raw), GRID, Marks.none(len(CLASSES))).cells) == 0


def test_an_object_is_given_the_cell_that_already_fits_it() -> None:
    objects = marks(([24, 24, 40, 40], 1))
    raw = unsure()
    fits = int((GRID.centre_xy == torch.tensor([28.0, 28.0])).all(1).nonzero()[0])
    raw[fits, :2] = 0.5  # half a stride of 8 from the corner (24, 24) of that cell
    raw[fits, :2] += 0.5
    raw[fits, 2:4] = torch.tensor(2.0).log()  # 16 pixels
    raw[fits, 4:] = torch.tensor([3.0, -3.0, 3.0])
    found = assign(raw, GRID.decode(raw), GRID, objects)
    assert fits in found.cells.tolist()
    assert torch.isclose(found.ious[found.cells == fits], torch.tensor(1.0)).all()


def test_every_cell_lies_within_reach_of_its_object() -> None:
    objects = marks(([4, 4, 28, 28], 0), ([30, 30, 62, 62], 1))
    raw = unsure()
    found = assign(raw, GRID.decode(raw), GRID, objects)
    centres = (objects.boxes[:, :2] + objects.boxes[:, 2:]) / 2
    distance = (GRID.centre_xy[found.cells] - centres[found.objects]).abs().amax(1)
    assert (distance < REACH * GRID.stride[found.cells, 0]).all()
    assert set(found.objects.tolist()) == {0, 1}


def test_two_objects_in_one_place_share_no_cell() -> None:
    objects = marks(([20, 20, 44, 44], 0), ([22, 22, 46, 46], 1))
    raw = unsure()
    found = assign(raw, GRID.decode(raw), GRID, objects)
    assert len(found.cells) == len(set(found.cells.tolist()))


def test_more_cells_answer_for_an_object_that_is_predicted_well() -> None:
    objects = marks(([16, 16, 48, 48], 0))
    raw = unsure()
    few = len(assign(raw, GRID.decode(raw), GRID, objects).cells)
    centre = torch.tensor([32.0, 32.0]) / GRID.stride - GRID.corner_xy
    raw[:, :2], raw[:, 2:4] = centre, (32 / GRID.stride).log()
    many = len(assign(raw, GRID.decode(raw), GRID, objects).cells)
    assert few < many == 10
