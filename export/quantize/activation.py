"""How a tensor that flows becomes integers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stopline.export.quantize.window import Window, padded

Floats32 = NDArray[np.float32]
LOWEST, HIGHEST = -128, 127


class Activation(NamedTuple):
    """`round((x - shift) * factor / scale)`, clipped to -128..127.

    With one shift and one factor for each channel, all channels use all 256 steps. The layer's
    weights are divided by the factors, and its bias takes up the shift, so in exact arithmetic
    nothing changes ("Outlier Suppression+", arXiv 2304.09145; SmoothQuant, 2211.10438).
    """

    scale: float
    shift: Floats32 | None = None  # (channels,)
    factor: Floats32 | None = None  # (channels,)

    def scaled(self, tensor: Floats32) -> Floats32:
        """Before it is rounded; channels are the second axis."""
        across = (1, -1) + (1,) * (tensor.ndim - 2)
        if self.shift is not None:
            tensor = tensor - self.shift.reshape(across)
        if self.factor is not None:
            tensor = tensor * self.factor.reshape(across)
        return tensor

    def dequantized(self, tensor: Floats32) -> Floats32:
        """What the layer sees of it."""
        steps = np.rint(self.scaled(tensor) / np.float32(self.scale))
        seen: Floats32 = np.clip(steps, LOWEST, HIGHEST) * np.float32(self.scale)
        return seen

    def borders(self, window: Window) -> bool:
        """Whether the zeros at the border must be there before the shift, which moves zero."""
        return self.shift is not None and window.is_padded

    def input_of_layer(self, tensor: Floats32, window: Window) -> Floats32:
        """(1, c, h, w) as the layer sees it, with its border where it has to bring one."""
        return self.dequantized(padded(tensor, window) if self.borders(window) else tensor)
