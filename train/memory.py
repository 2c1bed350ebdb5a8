"""What the start weights see in a batch, so that a fine-tune on few images does not unlearn it.

"Learning without Forgetting" (arXiv 1606.09282): where no label speaks, the network is held to
what it said before training, softly, cell by cell. Labels are partial, so they speak seldom: an
object is denied only as far as the start weights take it for a class that was labelled there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stopline.train.yolox import Yolox


@dataclass(frozen=True, eq=False)
class Recalled:
    """What the start weights say of a batch, for each cell."""

    boxes: Tensor  # (n, cells, 4) raw
    there: Tensor  # (n, cells) 0..1, that there is an object of any class they know
    kinds: Tensor  # (n, cells, classes) 0..1, of the classes that are trained; 0 of a new one
    any_kind: Tensor  # (n, cells) the sum over all the classes they know, those not trained too
    knows: Tensor  # (classes,) bool, which of the classes that are trained they know


class Memory:
    """The start weights with all the classes they know, `has`; `wants` are those trained."""

    def __init__(self, model: Yolox, has: Sequence[str], wants: Sequence[str]) -> None:
        self.model = model.eval().requires_grad_(False)
        self.knows = torch.tensor([name in has for name in wants])
        self.rows = torch.tensor([has.index(name) if name in has else 0 for name in wants])

    @torch.no_grad()
    def recall(self, frames: Tensor) -> Recalled:
        """`frames` (n, 3, h, w) as the network in training gets them."""
        self.model.to(frames.device)
        knows, rows = self.knows.to(frames.device), self.rows.to(frames.device)
        raw = self.model(frames).float()
        kinds = raw[..., 5:]
        return Recalled(raw[..., :4], raw[..., 4], kinds[..., rows] * knows, kinds.sum(-1), knows)
