"""What the start weights knew is kept where no label speaks, and given up where one does."""

import torch
from torch import Tensor

from stopline.train.losses import expected, losses_of
from stopline.train.marks import IGNORE, Marks
from stopline.train.memory import Memory, Recalled
from stopline.train.yolox import Yolox, grid_of
from tests.train.tiny import CLASSES, TINY, marks, whole

HW = (64, 64)
GRID = grid_of(HW)
CELLS = len(GRID.stride)
SIGN, CAR = 0, 1


def recalled(there: float, kinds: tuple[float, float], others: float = 0.0) -> Recalled:
    """The start weights saying the same of every cell."""
    of_cells = torch.tensor(kinds).expand(1, CELLS, -1).clone()
    return Recalled(
        torch.zeros(1, CELLS, 4),
        torch.full((1, CELLS), there),
        of_cells,
        of_cells.sum(-1) + others,
        torch.tensor([True, True]),
    )


def gradient(raw: Tensor, seen: Recalled, of: Marks) -> Tensor:
    losses = losses_of(raw.requires_grad_(), GRID, [of], seen)
    (found,) = torch.autograd.grad(losses.total(losses.cells), raw)
    return found


def test_who_still_says_the_same_has_nothing_to_learn_where_nothing_is_labelled() -> None:
    seen = recalled(0.7, (0.2, 0.6))
    raw = torch.zeros(1, CELLS, 5 + len(CLASSES))
    raw[..., 4] = torch.logit(torch.tensor(0.7))
    raw[..., 5:] = torch.logit(torch.tensor([0.2, 0.6]))
    nothing_known = marks(whole(64, 64), known=[False, False])
    assert gradient(raw, seen, nothing_known).abs().max() < 1e-6


def test_what_the_start_weights_saw_is_denied_as_far_as_its_class_was_labelled() -> None:
    car_or_dog = recalled(0.8, (0.0, 0.3), others=0.6)  # a third of its belief is car
    cars_labelled = marks(whole(64, 64), known=[False, True])
    signs_labelled = marks(whole(64, 64), known=[True, False])
    assert torch.allclose(expected(car_or_dog, 0, GRID, cars_labelled), torch.tensor(0.8 * 2 / 3))
    assert torch.allclose(expected(car_or_dog, 0, GRID, signs_labelled), torch.tensor(0.8))


def test_within_an_object_or_an_ignored_box_nothing_is_denied() -> None:
    car = recalled(0.8, (0.0, 0.9))
    left = GRID.centre_xy[:, 0] < 32
    for kind in (SIGN, IGNORE):
        said = expected(car, 0, GRID, marks(whole(64, 64), ([0, 0, 32, 64], kind)))
        assert torch.allclose(said[left], torch.tensor(0.8))
        assert (said[~left] < 1e-6).all()


def test_a_label_outranks_the_memory() -> None:
    sees_nothing = recalled(0.0, (0.0, 0.0), others=1.0)
    raw = torch.zeros(1, CELLS, 5 + len(CLASSES))
    found = gradient(raw, sees_nothing, marks(whole(64, 64), ([20, 20, 44, 44], SIGN)))
    assert (found[..., 4] < 0).any()


def test_classes_are_recalled_by_name_and_a_new_one_is_not_known() -> None:
    torch.manual_seed(0)
    model = Yolox(3, TINY)
    memory = Memory(model, ("dog", "car", "sign"), ("sign", "pole", "car"))
    frames = torch.randint(0, 255, (2, 3, 64, 64)).float()
    seen = memory.recall(frames)
    with torch.no_grad():
        raw = model(frames)
    assert seen.knows.tolist() == [True, False, True]
    assert torch.equal(seen.kinds[..., 0], raw[..., 7])
    assert torch.equal(seen.kinds[..., 2], raw[..., 6])
    assert (seen.kinds[..., 1] == 0).all()
    assert torch.allclose(seen.any_kind, raw[..., 5:].sum(-1))
    assert not any(weights.requires_grad for weights in model.parameters())
