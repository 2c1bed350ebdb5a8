"""The shapes of vehicles as data, and how a shape becomes faces.

A body is a loft through stations from rear to front. A station is (z, sill, belt, roof, half):
z in body lengths from the middle, heights in metres, half the width as a share of the full half.
Where the roof is no higher than the belt there is no cabin.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from stopline.runtime.sim.canvas import Colour
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.solids import Faces, Lamp, mirrored, quad

Station = tuple[float, float, float, float, float]

BODY: Colour = (-1, -1, -1)  # whatever colour the body will have
GLASS: Colour = (70, 66, 62)
TRIM: Colour = (34, 33, 32)
TAIL: Colour = (35, 30, 175)
LAMP: Colour = (225, 225, 220)
PLATE: Colour = (205, 215, 215)


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of vehicle body."""

    name: str  # the class a detector should say
    length: float
    width: float
    wheels: tuple[float, ...]  # axles, z in body lengths
    wheel_m: float  # radius
    stations: tuple[Station, ...]
    glass_from: float = -1.0  # side windows only in front of this z
    pillars: tuple[float, ...] = ()  # z of the posts between side windows
    stripe: bool = False  # a band of windows with many posts (a bus)
    tumble: float = 0.8  # half width of the roof as a share of the belt's


SALOON = Shape(
    "car", 4.6, 1.82, (-0.29, 0.31), 0.325,
    ((-0.50, 0.36, 0.80, 0.80, 0.88), (-0.48, 0.28, 0.97, 0.97, 0.94),
     (-0.37, 0.22, 1.00, 1.00, 0.98), (-0.19, 0.22, 0.99, 1.38, 1.0),
     (-0.02, 0.22, 0.97, 1.44, 1.0), (0.07, 0.22, 0.96, 1.41, 1.0),
     (0.24, 0.22, 0.94, 0.94, 1.0), (0.40, 0.22, 0.86, 0.86, 0.97),
     (0.48, 0.26, 0.76, 0.76, 0.91), (0.50, 0.34, 0.68, 0.68, 0.84)),
    pillars=(-0.05,),
)  # fmt: skip
HATCHBACK = Shape(
    "car", 4.0, 1.78, (-0.32, 0.31), 0.31,
    ((-0.50, 0.36, 0.86, 0.86, 0.90), (-0.485, 0.26, 0.98, 0.98, 0.96),
     (-0.40, 0.22, 1.00, 1.40, 0.98), (-0.25, 0.22, 0.99, 1.49, 1.0),
     (0.02, 0.22, 0.97, 1.51, 1.0), (0.10, 0.22, 0.96, 1.46, 1.0),
     (0.29, 0.22, 0.95, 0.95, 1.0), (0.42, 0.22, 0.88, 0.88, 0.96),
     (0.485, 0.26, 0.78, 0.78, 0.90), (0.50, 0.34, 0.69, 0.69, 0.83)),
    pillars=(-0.06, -0.27),
)  # fmt: skip
ESTATE = Shape(
    "car", 4.7, 1.92, (-0.29, 0.31), 0.37,
    ((-0.50, 0.44, 0.98, 0.98, 0.90), (-0.49, 0.34, 1.08, 1.08, 0.96),
     (-0.43, 0.30, 1.12, 1.60, 0.98), (-0.30, 0.30, 1.12, 1.72, 1.0),
     (0.02, 0.30, 1.10, 1.75, 1.0), (0.09, 0.30, 1.09, 1.70, 1.0),
     (0.25, 0.30, 1.07, 1.07, 1.0), (0.42, 0.30, 1.02, 1.02, 0.97),
     (0.485, 0.34, 0.92, 0.92, 0.93), (0.50, 0.42, 0.82, 0.82, 0.88)),
    pillars=(-0.06, -0.28),
)  # fmt: skip
VAN = Shape(
    "truck", 5.3, 2.0, (-0.30, 0.33), 0.35,
    ((-0.50, 0.42, 1.00, 2.20, 0.96), (-0.49, 0.34, 1.15, 2.30, 0.98),
     (-0.10, 0.32, 1.20, 2.36, 1.0), (0.17, 0.32, 1.20, 2.36, 1.0),
     (0.23, 0.32, 1.19, 2.28, 1.0), (0.36, 0.32, 1.16, 1.16, 1.0),
     (0.47, 0.34, 1.02, 1.02, 0.97), (0.50, 0.42, 0.92, 0.92, 0.92)),
    glass_from=0.10, pillars=(0.12,), tumble=0.9,
)  # fmt: skip
PICKUP = Shape(
    "truck", 5.3, 1.95, (-0.30, 0.32), 0.39,
    ((-0.50, 0.50, 1.06, 1.06, 0.96), (-0.49, 0.42, 1.08, 1.08, 0.98),
     (-0.14, 0.38, 1.10, 1.10, 1.0), (-0.12, 0.36, 1.12, 1.74, 1.0),
     (0.06, 0.36, 1.12, 1.80, 1.0), (0.11, 0.36, 1.11, 1.75, 1.0),
     (0.24, 0.36, 1.10, 1.10, 1.0), (0.43, 0.38, 1.05, 1.05, 0.98),
     (0.49, 0.42, 0.96, 0.96, 0.95), (0.50, 0.48, 0.86, 0.86, 0.92)),
    pillars=(-0.02,),
)  # fmt: skip
BUS = Shape(
    "bus", 11.5, 2.5, (-0.26, 0.30), 0.48,
    ((-0.50, 0.50, 1.25, 2.80, 0.98), (-0.495, 0.36, 1.25, 3.00, 1.0),
     (0.0, 0.32, 1.25, 3.05, 1.0), (0.485, 0.32, 1.25, 3.00, 1.0),
     (0.50, 0.42, 1.05, 2.80, 0.97)),
    stripe=True, tumble=0.97,
)  # fmt: skip
LORRY_CAB = Shape(
    "truck", 2.3, 2.3, (0.10,), 0.47,
    ((-0.50, 0.55, 1.60, 2.60, 0.97), (-0.1, 0.45, 1.55, 2.72, 1.0),
     (0.36, 0.45, 1.52, 2.62, 1.0), (0.47, 0.45, 1.40, 1.40, 0.99), (0.50, 0.50, 1.30, 1.30, 0.97)),
    glass_from=-0.2, pillars=(), tumble=0.93,
)  # fmt: skip


def faces_of(shape: Shape, paint: Colour, stretch: tuple[float, float, float]) -> Faces:
    """The faces of a body around (0, 0), its front to +z; `stretch` scales x, y and z."""
    bare = _unpainted(shape)
    painted = np.where(bare.paint < 0, -bare.paint * paint, bare.paint)
    return replace(bare, corners=bare.corners * stretch, paint=painted)


@lru_cache
def _unpainted(shape: Shape) -> Faces:
    """The same for all that are built alike: a negative paint is a share of the body's own."""
    stations = np.array(shape.stations) * [shape.length, 1, 1, 1, shape.width / 2]
    parts = [_ends(stations, shape, BODY)]
    for rear, front in pairwise(stations):
        parts += _segment(rear, front, shape, BODY)
    parts += _posts(stations, shape, BODY)
    parts += _face_details(stations, shape)
    return Faces.join(parts)


def _darker(paint: Colour, by: float) -> Colour:
    return paint[0] * by, paint[1] * by, paint[2] * by


def _segment(rear: Floats, front: Floats, shape: Shape, paint: Colour) -> list[Faces]:
    """Sides, windows and top between two stations."""
    z0, sill0, belt0, roof0, half0 = rear
    z1, sill1, belt1, roof1, half1 = front
    mid0, mid1 = 0.45 * sill0 + 0.55 * belt0, 0.45 * sill1 + 0.55 * belt1
    top0 = half0 * (shape.tumble if roof0 > belt0 else 0.93)
    top1 = half1 * (shape.tumble if roof1 > belt1 else 0.93)
    parts = []
    lower = quad(
        (half0, mid0, z0), (half1, mid1, z1), (half1 * 0.95, sill1, z1), (half0 * 0.95, sill0, z0)
    )
    upper = quad(
        (half0 * 0.96, belt0, z0), (half1 * 0.96, belt1, z1), (half1, mid1, z1), (half0, mid0, z0)
    )
    cabin = quad(
        (top0, roof0, z0), (top1, roof1, z1), (half1 * 0.96, belt1, z1), (half0 * 0.96, belt0, z0)
    )
    parts.append(_both(lower, _darker(paint, 0.86)))
    parts.append(_both(upper, paint))
    inside0, inside1 = roof0 > belt0, roof1 > belt1
    if inside0 or inside1:
        parts.append(_both(cabin, paint))
        if (z0 + z1) / 2 > shape.glass_from * shape.length:
            parts.append(_both(_inset(cabin, 0.06, 0.12), GLASS, over=1))
    top = quad((-top1, roof1, z1), (top1, roof1, z1), (top0, roof0, z0), (-top0, roof0, z0))
    parts.append(Faces.of(top, paint))
    if inside0 != inside1 and abs(z1 - z0) > 0.06 and (inside0 or shape.glass_from < -0.5):
        parts.append(Faces.of(_inset(top, 0.07, 0.05), (112, 106, 98), over=1))
    return parts


def _both(corners: Floats, paint: Colour, over: int = 0, fine: bool = False) -> Faces:
    return Faces.of(np.concatenate([corners, mirrored(corners)]), paint, over, fine=fine)


def _inset(corners: Floats, along: float, across: float) -> Floats:
    """A quad within a quad: margins as shares of its first and its second direction."""
    a, b, c, d = corners[0]
    u = np.array([along, 1 - along, 1 - along, along])[:, None]
    v = np.array([across, across, 1 - across, 1 - across])[:, None]
    inner: Floats = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    return inner[None]


def _ends(stations: Floats, shape: Shape, paint: Colour) -> Faces:
    """The flat faces at the very rear and the very front."""
    z0, sill, belt, roof, half = stations[0]
    top = half * (shape.tumble if roof > belt else 0.93)
    z1, sill1, belt1, roof1, half1 = stations[-1]
    top1 = half1 * (shape.tumble if roof1 > belt1 else 0.93)
    under = quad((-half, sill, z0), (half, sill, z0), (half1, sill1, z1), (-half1, sill1, z1))
    parts = [
        Faces.of(
            quad((-half, belt, z0), (half, belt, z0), (half, sill, z0), (-half, sill, z0)), paint
        ),
        Faces.of(
            quad((half1, belt1, z1), (-half1, belt1, z1), (-half1, sill1, z1), (half1, sill1, z1)),
            paint,
        ),
        Faces.of(under, (22, 22, 22)),
    ]
    if roof > belt:
        back = quad((-top, roof, z0), (top, roof, z0), (half, belt, z0), (-half, belt, z0))
        parts.append(Faces.of(back, paint))
        parts.append(Faces.of(_inset(back, 0.1, 0.12), GLASS, over=1))
    if roof1 > belt1:
        face = quad((top1, roof1, z1), (-top1, roof1, z1), (-half1, belt1, z1), (half1, belt1, z1))
        parts.append(Faces.of(face, paint))
        parts.append(Faces.of(_inset(face, 0.04, 0.14), (104, 98, 92), over=1))
    return Faces.join(parts)


def _posts(stations: Floats, shape: Shape, paint: Colour) -> list[Faces]:
    """The posts between side windows."""
    at = [z * shape.length for z in shape.pillars]
    if shape.stripe:
        at = list(np.arange(-0.46, 0.47, 0.115) * shape.length)
    parts = []
    for z in at:
        belt, roof, half = _section(stations, z)
        top = half * shape.tumble
        post = quad(
            (top, roof, z - 0.05), (top, roof, z + 0.05),
            (half * 0.96, belt, z + 0.05), (half * 0.96, belt, z - 0.05),
        )  # fmt: skip
        parts.append(_both(post, TRIM if shape.stripe else _darker(paint, 0.8), 2, fine=True))
    if not shape.stripe and len(at):  # door seams
        for z in (at[0], 0.22 * shape.length):
            belt, _, half = _section(stations, z)
            seam = quad(
                (half, belt, z - 0.012), (half, belt, z + 0.012),
                (half, 0.38, z + 0.012), (half, 0.38, z - 0.012),
            )  # fmt: skip
            parts.append(_both(seam, _darker(paint, 0.5), 1, fine=True))
    return parts


def _section(stations: Floats, z: float) -> tuple[float, float, float]:
    """Height of the belt, height of the roof and half the width at a place along the body."""
    belt, roof, half = (float(np.interp(z, stations[:, 0], stations[:, k])) for k in (2, 3, 4))
    return belt, roof, half


def _face_details(stations: Floats, shape: Shape) -> list[Faces]:
    """Lamps, plates, grille and bumpers on the two ends."""
    z0, sill, belt, _, half = stations[0]
    z1, sill1, belt1, _, half1 = stations[-1]
    rear, front = z0 - 0.01, z1 + 0.01
    parts = []
    for x in (-1, 1):
        tail = panel((x * half * 0.80, belt - 0.13), (0.32 * half, 0.2), rear)
        lamp = panel((x * half1 * 0.74, belt1 - 0.10), (0.36 * half1, 0.13), front)
        parts += [Faces.of(tail, TAIL, 1, Lamp.TAIL), Faces.of(lamp, LAMP, 1, Lamp.HEAD)]
    middle = (sill + belt) / 2
    parts.append(Faces.of(panel((0, middle + 0.03), (0.52, 0.12), rear), PLATE, over=2, fine=True))
    parts.append(
        Faces.of(panel((0, sill + 0.07), (1.8 * half, 0.14), rear), TRIM, over=1, fine=True)
    )
    parts.append(
        Faces.of(panel((0, sill1 + 0.06), (1.8 * half1, 0.12), front), TRIM, over=1, fine=True)
    )
    parts.append(
        Faces.of(panel((0, belt1 - 0.13), (1.0 * half1, 0.12), front), TRIM, over=1, fine=True)
    )
    parts.append(Faces.of(panel((0, sill1 + 0.12), (0.5, 0.11), front), PLATE, over=2, fine=True))
    return parts


def panel(middle: tuple[float, float], size: tuple[float, float], z: float) -> Floats:
    """(1, 4, 3) an upright rectangle across, turned to the end it lies on."""
    (x, y), (w, h) = middle, size
    side = 1 if z > 0 else -1
    right, left = x + side * w / 2, x - side * w / 2
    return quad(
        (right, y + h / 2, z), (left, y + h / 2, z), (left, y - h / 2, z), (right, y - h / 2, z)
    )
