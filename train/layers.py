"""The blocks YOLOX is made of. Attribute names are Megvii's, so that their weights load by name."""

import torch
from torch import Tensor, nn

BN_EPS = 1e-3  # YOLOX's, not torch's 1e-5: with another value loaded weights give other numbers
BN_MOMENTUM = 0.03


class ConvBnAct(nn.Module):
    """k x k convolution, batch norm, SiLU."""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, k, stride, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.bn(self.conv(x)))
        return y


class Depthwise(nn.Module):
    """A k x k convolution factored into one per channel and a 1 x 1 across them."""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = ConvBnAct(c_in, c_in, k, stride, groups=c_in)
        self.pconv = ConvBnAct(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.pconv(self.dconv(x))
        return y


Conv = type[ConvBnAct] | type[Depthwise]  # what a network uses for its 3 x 3


class Bottleneck(nn.Module):
    """1 x 1, then 3 x 3, optionally around a residual."""

    def __init__(self, channels: int, conv: Conv, residual: bool) -> None:
        super().__init__()
        self.conv1 = ConvBnAct(channels, channels, 1)
        self.conv2 = conv(channels, channels, 3)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(self.conv1(x))
        return x + y if self.residual else y


class Csp(nn.Module):
    """Half of the channels go through `depth` bottlenecks, the other half past them."""

    def __init__(
        self, c_in: int, c_out: int, depth: int, conv: Conv, residual: bool = False
    ) -> None:
        super().__init__()
        half = c_out // 2
        self.conv1 = ConvBnAct(c_in, half, 1)
        self.conv2 = ConvBnAct(c_in, half, 1)
        self.conv3 = ConvBnAct(2 * half, c_out, 1)
        self.m = nn.Sequential(*(Bottleneck(half, conv, residual) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv3(torch.cat((self.m(self.conv1(x)), self.conv2(x)), 1))
        return y


class Focus(nn.Module):
    """Every 2 x 2 pixels become four times the channels: stride 2 without losing any."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = ConvBnAct(4 * c_in, c_out, 3)

    def forward(self, x: Tensor) -> Tensor:
        top, bottom = x[..., ::2, :], x[..., 1::2, :]
        # The order of the corners is part of the weights: top left, bottom left, top right, ...
        corners = (top[..., ::2], bottom[..., ::2], top[..., 1::2], bottom[..., 1::2])
        y: Tensor = self.conv(torch.cat(corners, 1))
        return y


class SpatialPyramid(nn.Module):
    """Max pools of growing reach side by side, so that one cell sees the whole object."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        half = c_in // 2
        self.conv1 = ConvBnAct(c_in, half, 1)
        self.m = nn.ModuleList(nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13))
        self.conv2 = ConvBnAct(half * 4, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        y: Tensor = self.conv2(torch.cat((x, *(pool(x) for pool in self.m)), 1))
        return y
