"""What turns an image into three feature maps, at strides 8, 16 and 32."""

import difflib
from typing import Any

import torch
from torch import Tensor, nn

from stopline.train.layers import Conv, ConvBnAct, Csp, Depthwise, Focus, SpatialPyramid

Maps = tuple[Tensor, Tensor, Tensor]  # (n, c, h/8, w/8), (n, c, h/16, w/16), (n, c, h/32, w/32)


class CspDarknet(nn.Module):
    """YOLOX's backbone. `width` and `depth` scale channels and repeats: Nano is .25 and .33."""

    def __init__(self, width: float, depth: float, depthwise: bool) -> None:
        super().__init__()
        conv: Conv = Depthwise if depthwise else ConvBnAct
        c, n = int(64 * width), max(round(3 * depth), 1)
        self.channels = (4 * c, 8 * c, 16 * c)
        self.stem = Focus(3, c)  # stride 2
        self.dark2 = nn.Sequential(conv(c, 2 * c, 3, 2), Csp(2 * c, 2 * c, n, conv, True))
        self.dark3 = nn.Sequential(conv(2 * c, 4 * c, 3, 2), Csp(4 * c, 4 * c, 3 * n, conv, True))
        self.dark4 = nn.Sequential(conv(4 * c, 8 * c, 3, 2), Csp(8 * c, 8 * c, 3 * n, conv, True))
        self.dark5 = nn.Sequential(
            conv(8 * c, 16 * c, 3, 2),
            SpatialPyramid(16 * c, 16 * c),
            Csp(16 * c, 16 * c, n, conv),
        )

    def forward(self, x: Tensor) -> Maps:
        x8 = self.dark3(self.dark2(self.stem(x)))
        x16 = self.dark4(x8)
        return x8, x16, self.dark5(x16)


class TimmBackbone(nn.Module):
    """Any timm model with `features_only`; normalises from BGR 0..255 to what the model expects."""

    def __init__(self, name: str, pretrained: bool) -> None:
        super().__init__()
        import timm

        if not timm.is_model(name):
            near = difflib.get_close_matches(name, [*timm.list_models(), "csp-darknet"], 3, 0)
            raise ValueError(
                f"no backbone {name!r}: csp-darknet, or one of timm's, {', '.join(near)}"
            )
        self.body = timm.create_model(name, features_only=True, pretrained=pretrained)
        info: Any = self.body.feature_info
        if not {8, 16, 32} <= set(info.reduction()):
            raise ValueError(
                f"backbone {name} gives maps at strides {info.reduction()}, wanted 8, 16 and 32"
            )
        self.levels = [info.reduction().index(stride) for stride in (8, 16, 32)]
        self.channels = tuple(info.channels()[level] for level in self.levels)
        config: Any = self.body.default_cfg
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", 255 * torch.tensor(config["mean"]).view(3, 1, 1), False)
        self.register_buffer("std", 255 * torch.tensor(config["std"]).view(3, 1, 1), False)

    def forward(self, x: Tensor) -> Maps:
        maps = self.body((x.flip(1) - self.mean) / self.std)
        x8, x16, x32 = (maps[level] for level in self.levels)
        return x8, x16, x32
