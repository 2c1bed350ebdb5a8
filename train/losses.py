"""The loss of a batch whose labels are partial.

Boxes and classes are learnt only where a cell answers for an object, and a class only where the
label of that object says yes or no to it. Objectness is the dangerous one: it has no class, so an
object that nobody labelled would count as background. With a memory (see memory.py) a cell without
an object is held to what the start weights say, as far as no label denies it. Without one it is
expected to see nothing, and the loss looks away

- in boxes marked IGNORE, which are crowds;
- where an image has classes that nobody looked for, by degrees: a cell is punished for seeing
  something by the share of its own class belief that lies in known classes. A cell that says
  "person" in an image labelled for signs is left alone, one that says "sign" learns. (At the start
  of training from nothing the share is the same everywhere.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import l1_loss, one_hot
from torchvision.ops import box_area

from stopline.train.assignment import assign
from stopline.train.marks import Marks
from stopline.train.memory import Recalled
from stopline.train.yolox import Grid

BOX_WEIGHT = 5.0  # YOLOX's


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over a batch, and over how many cells: divide by that of all processes together."""

    box: Tensor
    there: Tensor
    kind: Tensor
    l1: Tensor
    kept: Tensor  # how far boxes and classes are from what the start weights said
    cells: Tensor  # () how many cells answer for an object

    def total(self, cells: Tensor) -> Tensor:
        """The loss to descend, for each of `cells`."""
        parts = BOX_WEIGHT * self.box + self.there + self.kind + self.l1 + self.kept
        return parts / cells.clamp_min(1)

    def detach(self) -> "Losses":
        """The same figures without what led to them."""
        return Losses(*(part.detach() for part in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Matched:
    """The cells of a batch that answer for an object, a row for each."""

    images: Tensor  # (p,)
    cells: Tensor  # (p,)
    targets: Marks  # (p,)
    ious: Tensor  # (p,)

    def put(self, into: Tensor, value: float) -> Tensor:
        """`into` (n, cells) with `value` where a cell answers for an object."""
        return into.index_put((self.images, self.cells), into.new_tensor(value))


def losses_of(
    raw: Tensor,
    grid: Grid,
    batch: Sequence[Marks],
    recalled: Recalled | None = None,
    l1: bool = False,
) -> Losses:
    """`raw` (n, cells, 5 + classes) logits, `batch` the marks of its n images.

    `l1` adds the distance of raw boxes to their ideal, which YOLOX does once mosaic has ended.
    """
    raw = raw.float()
    boxes = grid.decode(raw)
    matched = match(raw, boxes, grid, batch)
    mine = raw[matched.images, matched.cells]
    near = _l1_loss(mine[:, :4], matched.targets.boxes, grid, matched.cells)
    return Losses(
        box=_iou_loss(boxes[matched.images, matched.cells], matched.targets.boxes).sum(),
        there=_objectness_loss(raw, boxes, grid, batch, (matched, recalled)).sum(),
        kind=_class_loss(mine[:, 5:], matched).sum(),
        l1=near if l1 else near.new_zeros(()),
        kept=raw.new_zeros(()) if recalled is None else _kept_loss(raw, matched, recalled),
        cells=raw.new_tensor(float(len(matched.cells))),
    )


def match(raw: Tensor, boxes: Tensor, grid: Grid, batch: Sequence[Marks]) -> Matched:
    """Assign the cells of each image to its objects."""
    objects = [marks.objects() for marks in batch]
    found = [assign(raw[i], boxes[i], grid, mine) for i, mine in enumerate(objects)]
    return Matched(
        images=torch.cat([torch.full_like(one.cells, i) for i, one in enumerate(found)]),
        cells=torch.cat([one.cells for one in found]),
        targets=Marks.join(mine[one.objects] for mine, one in zip(objects, found, strict=True)),
        ious=torch.cat([one.ious for one in found]),
    )


def background_weight(raw: Tensor, boxes: Tensor, grid: Grid, marks: Marks) -> Tensor:
    """(cells,) 0..1: how much a cell of one image may be punished for seeing an object."""
    weight = torch.ones(len(raw), device=raw.device)
    regions = marks.regions()
    for region, known in zip(regions.boxes, regions.known, strict=True):
        if not known.all():
            inside = _inside(grid.centre_xy, region[None]).squeeze(0)
            belief = raw[inside, 5:].sigmoid()
            weight[inside] = (belief * known).sum(1) / belief.sum(1).clamp_min(1e-6)
    ignored = marks.ignored()
    if len(ignored):
        hidden = _inside(grid.centre_xy, ignored).any(0) | _mostly_within(boxes, ignored)
        weight = weight.masked_fill(hidden, 0)
    return weight


def _inside(points: Tensor, boxes: Tensor) -> Tensor:
    """(boxes, points) bool."""
    left_top = points > boxes[:, None, :2]
    right_bottom = points < boxes[:, None, 2:]
    inside: Tensor = (left_top & right_bottom).all(-1)
    return inside


def _mostly_within(boxes: Tensor, regions: Tensor) -> Tensor:
    """(boxes,) bool: over half of the box lies in one of the regions, as COCO treats crowds."""
    wh = torch.minimum(boxes[None, :, 2:], regions[:, None, 2:]) - torch.maximum(
        boxes[None, :, :2], regions[:, None, :2]
    )
    covered = wh.clamp_min(0).prod(-1)
    mostly: Tensor = (covered > 0.5 * box_area(boxes)).any(0)
    return mostly


def _iou_loss(boxes: Tensor, targets: Tensor) -> Tensor:
    """(p,) 1 - IoU squared, as YOLOX has it."""
    wh = torch.minimum(boxes[:, 2:], targets[:, 2:]) - torch.maximum(boxes[:, :2], targets[:, :2])
    both = wh.clamp_min(0).prod(1)
    iou: Tensor = both / (box_area(boxes) + box_area(targets) - both).clamp_min(1e-9)
    return 1 - iou.square()


def _objectness_loss(
    raw: Tensor,
    boxes: Tensor,
    grid: Grid,
    batch: Sequence[Marks],
    said: tuple[Matched, Recalled | None],
) -> Tensor:
    """(n, cells)"""
    matched, recalled = said
    if recalled is not None:
        kept = [expected(recalled, i, grid, marks) for i, marks in enumerate(batch)]
        return bce(raw[..., 4], matched.put(torch.stack(kept), 1), reduction="none")
    weights = [
        background_weight(raw[i].detach(), boxes[i].detach(), grid, marks)
        for i, marks in enumerate(batch)
    ]
    there = matched.put(torch.zeros_like(raw[..., 4]), 1)
    return bce(raw[..., 4], there, matched.put(torch.stack(weights), 1), reduction="none")


def expected(recalled: Recalled, image: int, grid: Grid, marks: Marks) -> Tensor:
    """(cells,) the objectness the start weights give, less what the labels of the image deny.

    Within an object or an ignored box nothing is denied: there may be another beside it.
    """
    denied = torch.zeros_like(recalled.there[image])
    regions = marks.regions()
    for region, known in zip(regions.boxes, regions.known, strict=True):
        inside = _inside(grid.centre_xy, region[None]).squeeze(0)
        belief = (recalled.kinds[image, inside] * known).sum(1)
        denied[inside] = belief / recalled.any_kind[image, inside].clamp_min(1e-6)
    occupied = torch.cat([marks.objects().boxes, marks.ignored()])
    if len(occupied):
        denied = denied.masked_fill(_inside(grid.centre_xy, occupied).any(0), 0)
    return recalled.there[image] * (1 - denied)


def _kept_loss(raw: Tensor, matched: Matched, recalled: Recalled) -> Tensor:
    """Boxes and classes as the start weights gave them, where they saw an object and no label."""
    trust = matched.put(recalled.there, 0)
    kinds = bce(raw[..., 5:], recalled.kinds, recalled.knows.float(), reduction="none").sum(-1)
    boxes = (raw[..., :4] - recalled.boxes).abs().sum(-1)
    return ((kinds + boxes) * trust).sum()


def _class_loss(logits: Tensor, matched: Matched) -> Tensor:
    """The right class is expected only as surely as the box fits, so that score ranks boxes."""
    wanted = one_hot(matched.targets.kinds, logits.shape[1]) * matched.ious[:, None]
    return bce(logits, wanted, matched.targets.known.float(), reduction="none")


def _l1_loss(raw: Tensor, targets: Tensor, grid: Grid, cells: Tensor) -> Tensor:
    stride = grid.stride[cells]
    centre, wh = (targets[:, :2] + targets[:, 2:]) / 2, targets[:, 2:] - targets[:, :2]
    ideal = torch.cat((centre / stride - grid.corner_xy[cells], (wh / stride + 1e-8).log()), 1)
    return l1_loss(raw, ideal, reduction="sum")
