"""The exponential moving average of the weights: what is validated and what is kept."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Follows `model`; `decay` is how much of itself it keeps at each step.

    It follows closely at first, because the first weights of a run are worth nothing or, in a
    fine-tune, are soon left behind: at step n it keeps at most (1 + n) / (10 + n).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: t.detach().clone() for name, t in model.state_dict().items()}

    @torch.no_grad()
    def follow(self, model: nn.Module, step: int) -> None:
        """Take a step towards the weights that `model` has after `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        mine: list[Tensor] = []
        theirs: list[Tensor] = []
        for name, now in model.state_dict().items():
            if now.dtype.is_floating_point:
                mine.append(self.state[name])
                theirs.append(now)
            else:
                self.state[name].copy_(now)
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from an average that was saved."""
        for name, mine in self.state.items():
            mine.copy_(state[name])


def blended(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], way: float
) -> dict[str, Tensor]:
    """The weights `way` (0..1) of the way from `start` to `end`."""
    return {
        name: torch.lerp(start[name], to, way) if to.dtype.is_floating_point else to.clone()
        for name, to in end.items()
    }
