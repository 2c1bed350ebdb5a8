"""The detector: a backbone, a path-aggregation neck and a decoupled, anchor-free head.

"YOLOX: Exceeding YOLO Series in 2021", arXiv 2107.08430. Attribute names are Megvii's.
"""

import math
from dataclasses import dataclass

import msgspec
import torch
from torch import Tensor, nn

from stopline.train.backbone import CspDarknet, Maps, TimmBackbone
from stopline.train.layers import Conv, ConvBnAct, Csp, Depthwise

STRIDES = (8, 16, 32)  # input pixels between two cells of each map


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The architecture. The defaults are YOLOX-Nano; `backbone` may name any timm model instead."""

    backbone: str = "csp-darknet"
    width: float = 0.25
    depth: float = 0.33
    depthwise: bool = True
    pretrained: bool = False  # of a timm backbone: fetched from its hub


class Pafpn(nn.Module):
    """Coarse meaning flows down to the fine maps, then fine position back up to the coarse."""

    def __init__(self, backbone: nn.Module, channels: tuple[int, ...], s: ModelSettings) -> None:
        super().__init__()
        conv: Conv = Depthwise if s.depthwise else ConvBnAct
        n = round(3 * s.depth)
        c8, c16, c32 = (int(c * s.width) for c in (256, 512, 1024))
        in8, in16, in32 = channels
        self.backbone = backbone
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.lateral_conv0 = ConvBnAct(in32, c16, 1)
        self.C3_p4 = Csp(c16 + in16, c16, n, conv)
        self.reduce_conv1 = ConvBnAct(c16, c8, 1)
        self.C3_p3 = Csp(c8 + in8, c8, n, conv)
        self.bu_conv2 = conv(c8, c8, 3, 2)
        self.C3_n3 = Csp(2 * c8, c16, n, conv)
        self.bu_conv1 = conv(c16, c16, 3, 2)
        self.C3_n4 = Csp(2 * c16, c32, n, conv)

    def forward(self, images: Tensor) -> Maps:
        x8, x16, x32 = self.backbone(images)
        down32 = self.lateral_conv0(x32)
        down16 = self.reduce_conv1(self.C3_p4(torch.cat((self.upsample(down32), x16), 1)))
        up8 = self.C3_p3(torch.cat((self.upsample(down16), x8), 1))
        up16 = self.C3_n3(torch.cat((self.bu_conv2(up8), down16), 1))
        up32 = self.C3_n4(torch.cat((self.bu_conv1(up16), down32), 1))
        return up8, up16, up32


class Head(nn.Module):
    """For each cell: a box, whether there is an object, and which; class apart from box."""

    def __init__(self, classes: int, s: ModelSettings) -> None:
        super().__init__()
        conv: Conv = Depthwise if s.depthwise else ConvBnAct
        hidden = int(256 * s.width)
        inputs = [int(c * s.width) for c in (256, 512, 1024)]

        def tower() -> nn.Sequential:
            return nn.Sequential(conv(hidden, hidden, 3), conv(hidden, hidden, 3))

        self.stems = nn.ModuleList(ConvBnAct(c, hidden, 1) for c in inputs)
        self.cls_convs = nn.ModuleList(tower() for _ in STRIDES)
        self.reg_convs = nn.ModuleList(tower() for _ in STRIDES)
        self.cls_preds = nn.ModuleList(nn.Conv2d(hidden, classes, 1) for _ in STRIDES)
        self.reg_preds = nn.ModuleList(nn.Conv2d(hidden, 4, 1) for _ in STRIDES)
        self.obj_preds = nn.ModuleList(nn.Conv2d(hidden, 1, 1) for _ in STRIDES)
        expect_rarely(self.cls_preds)
        expect_rarely(self.obj_preds)

    def forward(self, maps: Maps) -> list[Tensor]:
        """One (n, 5 + classes, h, w) for each map: xy, wh, objectness, classes, all raw."""
        out = []
        for k, x in enumerate(maps):
            x = self.stems[k](x)
            box_features = self.reg_convs[k](x)
            box, there = self.reg_preds[k](box_features), self.obj_preds[k](box_features)
            out.append(torch.cat((box, there, self.cls_preds[k](self.cls_convs[k](x))), 1))
        return out


class Yolox(nn.Module):
    """Images (n, 3, h, w) BGR 0..255 → (n, cells, 5 + classes), sides a multiple of 32.

    While training, everything is raw logits. In eval mode objectness and classes are
    probabilities, and boxes are still relative to their cell: the layout of Megvii's ONNX files.
    """

    def __init__(self, classes: int, settings: ModelSettings) -> None:
        super().__init__()
        s = settings
        body: CspDarknet | TimmBackbone
        if s.backbone == "csp-darknet":
            body = CspDarknet(s.width, s.depth, s.depthwise)
        else:
            body = TimmBackbone(s.backbone, s.pretrained)
        self.backbone = Pafpn(body, body.channels, s)
        self.head = Head(classes, s)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.head(self.backbone(images))
        if not self.training:
            maps = [torch.cat((m[:, :4], m[:, 4:].sigmoid()), 1) for m in maps]
        return torch.cat([m.flatten(2) for m in maps], 2).permute(0, 2, 1)


@dataclass(frozen=True)
class Grid:
    """The cells of an input, fine map first: corner (cells, 2) in cells, stride (cells, 1)."""

    corner_xy: Tensor
    stride: Tensor

    @property
    def centre_xy(self) -> Tensor:
        """(cells, 2) input pixels."""
        return (self.corner_xy + 0.5) * self.stride

    def decode(self, raw: Tensor) -> Tensor:
        """Raw xy, wh (..., cells, 4) → xyxy in input pixels."""
        centre = (raw[..., :2] + self.corner_xy) * self.stride
        half = raw[..., 2:4].exp() * self.stride / 2
        return torch.cat((centre - half, centre + half), -1)


def grid_of(input_hw: tuple[int, int], device: torch.device | str = "cpu") -> Grid:
    """The grid of all three maps for an input of this size."""
    corners, strides = [], []
    for stride in STRIDES:
        h, w = input_hw[0] // stride, input_hw[1] // stride
        y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        corners.append(torch.stack((x, y), -1).view(-1, 2))
        strides.append(torch.full((h * w, 1), stride))
    return Grid(
        torch.cat(corners).to(device, torch.float32), torch.cat(strides).to(device, torch.float32)
    )


def expect_rarely(predictors: nn.ModuleList, share: float = 0.01) -> None:
    """Start by saying yes to `share` of the cells, or the many empty ones swamp the first steps."""
    for conv in predictors:
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        nn.init.constant_(conv.bias, -math.log((1 - share) / share))
