"""What moves the weights, and how fast."""

import math

import torch
from torch import nn

from stopline.train.recipe import Optimise


def make_optimiser(optimise: Optimise, model: nn.Module) -> torch.optim.Optimizer:
    """Weight decay pulls on filters only: on a bias or a batch norm it does harm."""
    filters = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": filters, "weight_decay": optimise.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if optimise.method == "adamw":
        return torch.optim.AdamW(groups, optimise.lr, betas=(optimise.momentum, 0.999))
    return torch.optim.SGD(groups, optimise.lr, momentum=optimise.momentum, nesterov=True)


def learning_rate(optimise: Optimise, step: int) -> float:
    """Rises linearly through the warm-up, then falls along half a cosine to its final share."""
    if step < optimise.warmup:
        return optimise.lr * (step + 1) / optimise.warmup
    left = max(optimise.steps - optimise.warmup, 1)
    wave = (1 + math.cos(math.pi * (step - optimise.warmup) / left)) / 2
    return optimise.lr * (optimise.final + (1 - optimise.final) * wave)


def freeze_batchnorm(model: nn.Module) -> None:
    """Batch norm uses and keeps its running statistics, as in eval mode; its scale still learns."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
