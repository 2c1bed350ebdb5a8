"""What the ground is painted with: asphalt, kerbs, pavements, grass and lines, as textures."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.chance import between, happens, one_of
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.street import Street
from stopline.runtime.sim.texture import Field, clouds, grain, halved, to_image
from stopline.runtime.sim.warp import Texture, texture_of

PERIOD_M = 24.0  # after which the paint repeats: two dashes and their gaps
JUNCTION_HALF_M = 34.0  # how far the street that crosses is drawn to either side
JUNCTION_TEXEL_M = 0.05


@dataclass(frozen=True, slots=True)
class Band:
    """A range of depths and the size of a texel across (x) and along (z) the street, metres."""

    from_m: float
    to_m: float
    half_width_m: float
    texel_xz: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of one street's ground, BGR."""

    asphalt: Field
    line: Field
    centre: Field
    kerb: Field
    pavement: Field
    verge: Field
    garden: Field
    slab_m: float
    wear: float  # 0..1 how much of the lines is gone
    edge_line: bool
    dashed_centre: bool


def paint_of(rng: np.random.Generator, street: Street, light: Light) -> Paint:
    grey = between(rng, 62, 125)
    tint = np.array([between(rng, 0.95, 1.06), 1.0, between(rng, 0.96, 1.06)])
    grass = np.array([between(rng, 38, 60), between(rng, 95, 130), between(rng, 75, 115)])
    slabs = between(rng, 130, 185) * np.array([between(rng, 0.88, 1.0), 0.98, 1.0])
    white = np.full(3, between(rng, 205, 235))
    yellow = np.array([50.0, 170, 215])
    soil = np.array([60.0, 80, 100])
    kerb = one_of(rng, (1.05 * slabs, 1.05 * slabs, 0.8 * slabs, np.array([60.0, 60, 170])))
    return Paint(
        asphalt=grey * tint * (1 - 0.35 * light.wet),
        line=white,
        centre=yellow if street.yellow_centre else white,
        kerb=kerb,
        pavement=slabs * (1 - 0.2 * light.wet),
        verge=grass if street.verge_m > 0.6 else one_of(rng, (0.85 * slabs, soil)),
        garden=one_of(rng, (grass, grass, 0.9 * slabs)) if street.setback_m > 1 else slabs,
        slab_m=one_of(rng, (0.6, 1.2, 1.5, 2.0)),
        wear=between(rng, 0.05, 0.6),
        edge_line=happens(rng, 0.4),
        dashed_centre=happens(rng, 0.5),
    )


def tile(
    rng: np.random.Generator,
    what: tuple[Street, Paint],
    band: Band,
    how: tuple[Field, float],
    brightest: Floats,
) -> Texture:
    """The ground of a band as a texture: columns across from the left, rows along the street."""
    (dx, dz), (rough, blur_m) = band.texel_xz, how
    across = np.arange(-band.half_width_m, band.half_width_m, dx) + dx / 2
    along = np.arange(0, PERIOD_M, dz)
    surface = _materials(*what, across)[None].repeat(len(along), 0)
    _roughen(rng, surface, (across, along), what[0], rough)
    _slabs(surface, across, along, (*what, dz))
    _lines(surface, (across, along), what, rough)
    if blur_m > dz:  # the motion blur of a plane is exact: it is smeared along the street
        smeared = cv2.blur(surface, (1, round(blur_m / dz)), borderType=cv2.BORDER_REFLECT)
        surface = np.asarray(smeared, np.float32)
    picture = texture_of(to_image(surface * brightest.astype(np.float32)))
    copies = int(np.ceil((PERIOD_M + 4 + band.to_m) / PERIOD_M))
    tiled: Texture = np.tile(picture, (copies, 1, 1))
    return tiled


def junction_tile(
    rng: np.random.Generator, what: tuple[Street, Paint], brightest: Floats
) -> tuple[Texture, ...]:
    """The street that crosses, with kerbs where it runs between pavements, and its halvings."""
    street, paint = what
    across = np.arange(-JUNCTION_HALF_M, JUNCTION_HALF_M, JUNCTION_TEXEL_M)
    hw = (round(street.junction_m / JUNCTION_TEXEL_M), len(across))
    surface = np.empty((*hw, 3), np.float32)
    surface[:] = paint.asphalt
    blotch = clouds(rng, hw, (hw[0] / 3, hw[1] / 12)) * 0.05
    surface *= (1 + blotch + 0.05 * grain(rng, hw))[..., None]
    edge, outside = max(2, round(0.18 / JUNCTION_TEXEL_M)), np.abs(across) > street.kerb_m
    for rows in (slice(0, edge), slice(hw[0] - edge, hw[0])):
        surface[rows, outside] = paint.kerb
    dash = (np.mod(across, 6) < 3) & (np.abs(across) > street.kerb_m + 5)
    surface[hw[0] // 2 - 1 : hw[0] // 2 + 2, dash] = paint.line * 0.9
    levels = [texture_of(to_image(surface * brightest.astype(np.float32)))]
    for _ in range(4):
        levels.append(halved(levels[-1]))
    return tuple(levels)


def _materials(street: Street, paint: Paint, across: Field) -> NDArray[np.float32]:
    """(w, 3) the bare materials from left to right."""
    out = np.abs(across)
    edges = [street.kerb_m, street.kerb_m + 0.18, street.pavement_from_m]
    edges.append(street.pavement_from_m + street.pavement_m)
    colours = np.array([paint.asphalt, paint.kerb, paint.verge, paint.pavement, paint.garden])
    row = colours[np.searchsorted(edges, out)].astype(np.float32)
    gutter = np.exp(-(((out - street.kerb_m + 0.12) / 0.14) ** 2)) * (out < street.kerb_m)
    row *= (1 - 0.22 * gutter)[:, None]
    for lane in range(street.lanes):  # tyres polish and darken two tracks in each lane
        for track in (-0.8, 0.8):
            centre = (lane + 0.5) * street.lane_m + track
            row *= (1 - 0.07 * np.exp(-(((out - centre) / 0.28) ** 2)))[:, None]
    return row


def _roughen(
    rng: np.random.Generator,
    surface: NDArray[np.float32],
    grid: tuple[Field, Field],
    street: Street,
    rough: Field,
) -> None:
    """Grain, blotches, cracks; grass is rougher than asphalt."""
    across, along = grid
    dx = float(across[1] - across[0])
    out = np.abs(across)
    walk = (out > street.pavement_from_m) & (out < street.pavement_from_m + street.pavement_m)
    green = (out > street.kerb_m + 0.18) & ~walk
    texel = np.sqrt(dx * float(along[1] - along[0]))
    strength = np.where(green, 0.16, 0.055)[None] * min(1.0, (0.02 / texel) ** 0.6)
    blotch = 0.05 * _sampled(rough, across, along)
    texture = strength * grain(rng, surface.shape[:2]) + blotch
    surface *= (1 + texture.astype(np.float32))[..., None]


def _sampled(rough: Field, across: Field, along: Field) -> Field:
    """(h, w) the street's coarse noise at the places of a band's texels."""
    columns = np.mod(across / 0.5, rough.shape[1]).astype(np.float32)
    rows = np.mod(along / 0.2, rough.shape[0]).astype(np.float32)
    maps = np.meshgrid(columns, rows)
    sampled = cv2.remap(
        rough.astype(np.float32), maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(sampled, np.float32)


def _slabs(
    surface: NDArray[np.float32],
    across: Field,
    along: Field,
    how: tuple[Street, Paint, float],
) -> None:
    """Joints between the slabs of the pavement, as wide as a texel but paler when that is wide."""
    street, paint, dz = how
    walk = np.abs(np.abs(across) - street.pavement_from_m - street.pavement_m / 2)
    columns = walk < street.pavement_m / 2
    joint = np.mod(along, paint.slab_m) < dz
    depth = 0.3 * min(1.0, 0.03 / dz)
    surface[np.ix_(joint, columns)] *= 1 - depth


def _lines(
    surface: NDArray[np.float32],
    grid: tuple[Field, Field],
    what: tuple[Street, Paint],
    rough: Field,
) -> None:
    """Centre line, lane lines and edge lines, worn."""
    (across, along), (street, paint) = grid, what
    worn = np.clip(1.1 - paint.wear * (0.7 + 0.5 * _sampled(rough, across, along)), 0, 1)
    dash = (np.mod(along, 12.0) < 4.0).astype(np.float32)[:, None]
    solid = np.ones_like(dash)
    marks = []
    if street.yellow_centre and not paint.dashed_centre:
        marks += [(x, solid, paint.centre) for x in (-0.13, 0.13)]
    else:
        marks.append((0.0, dash if paint.dashed_centre else solid, paint.centre))
    for lane in range(1, street.lanes):
        marks += [(side * lane * street.lane_m, dash, paint.line) for side in (-1, 1)]
    if paint.edge_line or street.parking_m > 1:
        edge = street.lanes * street.lane_m
        marks += [(side * edge, solid, paint.line) for side in (-1, 1)]
    for x, where, colour in marks:
        stripe = _stripe(across, x, 0.13)
        under = np.flatnonzero(stripe)
        cover = (stripe[under] * where * worn[:, under])[..., None]
        surface[:, under] += cover * (colour.astype(np.float32) - surface[:, under])


def _stripe(across: Field, x: float, width: float) -> NDArray[np.float32]:
    """(w,) how much of each texel a line at x covers."""
    dx = float(across[1] - across[0])
    cover = (width + dx) / 2 - np.abs(across - x)
    return np.asarray(np.clip(cover / dx, 0, min(1.0, width / dx)), np.float32)
