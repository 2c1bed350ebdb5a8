"""SimOTA: which cells answer for which object. YOLOX (arXiv 2107.08430), section 2.1."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou

from stopline.train.marks import Marks
from stopline.train.yolox import Grid

REACH = 1.5  # strides from a cell to the centre of an object it may answer for
MOST_CELLS = 10  # that answer for one object
BOX_WEIGHT = 3.0  # of the box against the class in the cost
FAR = 1e6  # a cost that no reachable cell has


@dataclass(frozen=True, eq=False)
class Assignment:
    """One row for each cell that answers for an object."""

    cells: Tensor  # (p,) index into the grid
    objects: Tensor  # (p,) index into the objects
    ious: Tensor  # (p,) of the predicted box and the object


@torch.no_grad()
def assign(raw: Tensor, boxes: Tensor, grid: Grid, objects: Marks) -> Assignment:
    """`raw` (cells, 5 + classes) logits and `boxes` (cells, 4) of one image → its assignment.

    An object gets as many cells as the ten best predicted boxes overlap it in sum (at least one);
    a cell that two objects want goes to the one it costs less.
    """
    if not len(objects):
        nothing = torch.empty(0, dtype=torch.int64, device=raw.device)
        return Assignment(nothing, nothing, raw.new_empty(0))
    near = _in_reach(grid, objects.boxes)  # (objects, cells)
    candidates = near.any(0).nonzero().squeeze(1)
    near = near[:, candidates]
    ious = box_iou(objects.boxes, boxes[candidates].float())
    cost = _class_cost(raw[candidates].float(), objects) - BOX_WEIGHT * (ious + 1e-8).log()
    cost = cost.masked_fill(~near, FAR)
    taken = _cheapest(cost, ious) & near
    best_object = cost.masked_fill(~taken, 2 * FAR).argmin(0)
    picked = taken.any(0).nonzero().squeeze(1)
    owners = best_object[picked]
    return Assignment(candidates[picked], owners, ious[owners, picked])


def _in_reach(grid: Grid, boxes: Tensor) -> Tensor:
    centres = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    distance = (grid.centre_xy - centres).abs().amax(-1)
    return distance < REACH * grid.stride.squeeze(1)


def _class_cost(raw: Tensor, objects: Marks) -> Tensor:
    """(objects, cells) cross entropy of sqrt(objectness * class), over the known classes."""
    p = (raw[:, 5:].sigmoid() * raw[:, 4:5].sigmoid()).sqrt()
    no = -(1 - p).clamp_min(1e-9).log()  # what it costs to have said yes
    yes = -p.clamp_min(1e-9).log()
    own = (yes - no)[:, objects.kinds].T
    return objects.known.float() @ no.T + own


def _cheapest(cost: Tensor, ious: Tensor) -> Tensor:
    """(objects, cells) bool: for each object its cheapest cells, as many as it deserves."""
    most = min(MOST_CELLS, cost.shape[1])
    deserves = ious.topk(most, 1).values.sum(1).int().clamp_min(1)
    order = cost.topk(most, 1, largest=False).indices
    within = torch.arange(most, device=cost.device) < deserves[:, None]
    return torch.zeros_like(cost, dtype=torch.bool).scatter_(1, order, within)
