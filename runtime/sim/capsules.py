"""Rounded limbs: the outline of a disc that moves and grows on its way.

Outlines are drawn a little too large, so they are made that much smaller: a limb a pixel wide
would otherwise be more than two.
"""

import numpy as np

from stopline.runtime.sim.canvas import FAT_PX
from stopline.runtime.sim.projection import Floats

CORNERS = 12  # of an outline

_FAN = np.linspace(np.pi / 2, 3 * np.pi / 2, CORNERS // 2)
_FAN = np.concatenate([_FAN, _FAN - np.pi])
_ALONG, _ASIDE = np.cos(_FAN), np.sin(_FAN)
_FIRST = np.arange(CORNERS) < CORNERS // 2  # the corners around the first end


def capsules(ends: Floats, flat: Floats | float = 1.0) -> Floats:
    """(..., 6) x, y, radius at one end and at the other → (..., CORNERS, 2) convex outlines.

    `flat` (...) squeezes the round ends along the limb: 0 cuts them off.
    """
    along = ends[..., 3:5] - ends[..., :2]
    length = np.sqrt((along**2).sum(-1, keepdims=True))
    unit = np.where(length > 1e-9, along / np.maximum(length, 1e-9), [0.0, 1.0])
    c, s = unit[..., :1], unit[..., 1:]
    forth = np.asarray(flat)[..., None] * _ALONG
    drawn = np.maximum(ends[..., [2, 5]] - FAT_PX, 0.05)
    radius = np.where(_FIRST, drawn[..., :1], drawn[..., 1:])
    x = np.where(_FIRST, ends[..., 0:1], ends[..., 3:4]) + radius * (c * forth - s * _ASIDE)
    y = np.where(_FIRST, ends[..., 1:2], ends[..., 4:5]) + radius * (s * forth + c * _ASIDE)
    return np.stack([x, y], axis=-1)
