"""What the loss of partial labels punishes, and what it must look away from."""

import torch
from torch import Tensor

from stopline.train.losses import losses_of
from stopline.train.marks import IGNORE, Marks
from stopline.train.yolox import grid_of
from tests.train.tiny import CLASSES, marks, whole

HW = (64, 64)
GRID = grid_of(HW)
SIGN, CAR = 0, 1


def raw_output(images: int = 1) -> Tensor:
    """Logits of a network that knows nothing: boxes one stride large, everything unlikely."""
    raw = torch.zeros(images, len(GRID.stride), 5 + len(CLASSES))
    raw[..., 4:] = -2
    return raw.requires_grad_()


def gradient(raw: Tensor, batch: list[Marks]) -> Tensor:
    losses = losses_of(raw, GRID, batch)
    (found,) = torch.autograd.grad(losses.total(losses.cells), raw)
    return found


def cell_at(x: float, y: float) -> int:
    """The cell of the finest map whose centre is nearest."""
    distance = (GRID.centre_xy - torch.tensor([x, y])).norm(dim=1) + GRID.stride.squeeze(1) / 100
    return int(distance.argmin())


def test_an_image_without_objects_teaches_that_nothing_is_there() -> None:
    found = gradient(raw_output(), [Marks.none(len(CLASSES))])
    assert (found[..., 4] > 0).all()
    assert (found[..., :4] == 0).all()
    assert (found[..., 5:] == 0).all()


def test_a_batch_mixes_images_with_and_without_objects() -> None:
    batch = [Marks.none(len(CLASSES)), marks(([16, 16, 48, 48], CAR))]
    losses = losses_of(raw_output(2), GRID, batch, l1=True)
    assert losses.cells >= 1
    assert all(torch.isfinite(part) for part in vars(losses).values())


def test_an_object_pulls_its_cells_up_and_the_background_down() -> None:
    found = gradient(raw_output(), [marks(([20, 20, 44, 44], SIGN))])
    far = ((GRID.centre_xy - 32).abs() > 24).any(1)
    assert (found[0, ~far, 4] < 0).any()
    assert (found[0, far, 4] > 0).all()


def test_a_class_that_was_not_looked_for_learns_nothing_from_an_object() -> None:
    box = ([20.0, 20.0, 44.0, 44.0], SIGN)
    partial = gradient(raw_output(), [marks(box, known=[True, False])])
    full = gradient(raw_output(), [marks(box)])
    assert (partial[..., 5 + CAR] == 0).all()
    assert (partial[..., 5 + SIGN] != 0).any()
    assert (full[..., 5 + CAR] != 0).any()


def test_a_region_to_ignore_is_neither_object_nor_background() -> None:
    found = gradient(raw_output(), [marks(([0, 0, 32, 64], IGNORE))])
    left = GRID.centre_xy[:, 0] < 32
    assert (found[0, left] == 0).all()
    assert (found[0, ~left, 4] > 0).all()


def test_a_box_that_lies_in_an_ignored_region_is_not_punished_from_outside_it() -> None:
    raw = raw_output().detach()
    beside = cell_at(36, 4)
    raw[0, beside, :2] = torch.tensor([-2, 0.5])  # its box lies two strides to the left
    found = gradient(raw.requires_grad_(), [marks(([0, 0, 32, 64], IGNORE))])
    assert found[0, beside, 4] == 0


def test_an_object_in_an_ignored_region_is_still_learnt() -> None:
    batch = [marks(([0, 0, 64, 64], IGNORE), ([20, 20, 44, 44], SIGN))]
    assert (gradient(raw_output(), batch)[0, :, 4] < 0).any()


def test_who_sees_an_unknown_class_is_left_alone_and_who_sees_a_known_one_is_not() -> None:
    raw = raw_output().detach()
    raw[0, :, 5 + SIGN], raw[0, :, 5 + CAR] = -9, 4  # every cell takes itself for a car
    signs_only = marks(whole(64, 64), known=[True, False])
    left_alone = gradient(raw.clone().requires_grad_(), [signs_only])
    cars_too = gradient(raw.clone().requires_grad_(), [marks(whole(64, 64))])
    assert left_alone[..., 4].max() < 1e-3 * cars_too[..., 4].max()
    raw[0, :, 5 + SIGN], raw[0, :, 5 + CAR] = 4, -9
    told_off = gradient(raw.requires_grad_(), [signs_only])
    assert told_off[..., 4].min() > 0.99 * cars_too[..., 4].min()


def test_only_the_part_of_a_mosaic_with_unknown_classes_is_looked_away_from() -> None:
    raw = raw_output().detach()
    raw[0, :, 5 + SIGN], raw[0, :, 5 + CAR] = -9, 4
    left = marks(([0, 0, 32, 64], whole(1, 1)[1]), known=[True, False])
    right = marks(([32, 0, 64, 64], whole(1, 1)[1]))
    found = gradient(raw.requires_grad_(), [Marks.join([left, right])])
    assert found[0, cell_at(12, 12), 4] < 1e-3 * found[0, cell_at(52, 12), 4]
