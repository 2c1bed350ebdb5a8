"""Detectors of two colours, in torch, whose raw outputs have the layouts of the families.

Class 0 is red, class 1 is blue; a cell scores high where its mean is as pure as that.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stopline.export.bundle import About
from stopline.export.families import Recognised, recognised
from stopline.export.raw import HW, raw_of
from stopline.export.torch_onnx import raw_onnx_from_torch
from stopline.runtime.arrays import Image
from stopline.runtime.manifest import Provenance, Source

CLASSES = ("red", "blue")
HW_TINY = (64, 96)
BLUE, RED = (255, 0, 0), (0, 0, 255)

# Of a pixel's b, g and r in 0..1: how red and how blue it is.
PURITY = [[-0.5, -0.5, 1.0], [1.0, -0.5, -0.5]]


class Purity(nn.Module):
    """(n, 3, h, w) → (n, 2, h, w) logits of red and blue, with a BatchNorm to be folded."""

    def __init__(self, full: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(2)
        self.conv.weight.data = torch.tensor(PURITY)[:, :, None, None] / full
        # (x - mean) / std: a quarter of pure is on the fence.
        self.norm.running_mean = torch.full((2,), 0.25)
        self.norm.running_var = torch.full((2,), 0.01)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.norm(self.conv(images))
        return logits


class TinyYolox(nn.Module):
    """Every cell of strides 8, 16 and 32 proposes a box of one cell around its centre."""

    def __init__(self) -> None:
        super().__init__()
        self.purity = Purity(full=255)

    def forward(self, images: Tensor) -> Tensor:
        rows = [self._level(functional.avg_pool2d(images, stride)) for stride in (8, 16, 32)]
        return torch.cat(rows, 2).permute(0, 2, 1)

    def _level(self, cells: Tensor) -> Tensor:
        classes = self.purity(cells).sigmoid()
        there = classes.amax(1, keepdim=True)
        nothing = classes * 0  # of any batch: what is a constant for torch is one of batch 1
        return torch.cat([nothing + 0.5, nothing, there, classes], 1).flatten(2)


class TinyFastestDet(nn.Module):
    """Every cell of stride 16 proposes a box of half the input around its corner."""

    def __init__(self) -> None:
        super().__init__()
        self.purity = Purity(full=1)

    def forward(self, images: Tensor) -> Tensor:
        logits = self.purity(functional.avg_pool2d(images, 16))
        there = logits.amax(1, keepdim=True).sigmoid()
        box = logits * 0
        return torch.cat([there, box, box, logits.softmax(1)], 1)


class TinyUltralytics(nn.Module):
    """Takes RGB 0..1; every cell of strides 8, 16 and 32 proposes itself, in pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.purity = Purity(full=1)

    def forward(self, images: Tensor) -> Tensor:
        bgr = images.flip(1)
        return torch.cat([self._level(functional.avg_pool2d(bgr, s), s) for s in (8, 16, 32)], 2)

    def _level(self, cells: Tensor, stride: int) -> Tensor:
        scores = self.purity(cells).sigmoid()
        rows, columns = cells.shape[2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centre = (torch.stack([x, y])[None] + 0.5) * stride
        nothing = scores * 0  # of any batch: what is a constant for torch is one of batch 1
        return torch.cat([nothing + centre, nothing + stride, scores], 1).flatten(2)


def tiny_detector(module: nn.Module, input_hw: HW = HW_TINY) -> Recognised:
    """Exported and recognised."""
    return recognised(raw_of(raw_onnx_from_torch(module, input_hw), "tiny"))


def tiny_about(commercial: bool = True) -> About:
    """From one source, that may or may not be used commercially."""
    source = Source(name="a pot of paint", licence="CC0 1.0", commercial=commercial)
    provenance = Provenance(
        created="2026-01-01T00:00:00Z", stopline="0", command="a test", sources=(source,)
    )
    return About("tiny", CLASSES, provenance)


def painted(box: tuple[int, int, int, int], colour: tuple[int, int, int] = RED) -> Image:
    """A grey frame of the tiny input's size with one rectangle, xyxy."""
    image = np.full((*HW_TINY, 3), 114, np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = colour
    return image
