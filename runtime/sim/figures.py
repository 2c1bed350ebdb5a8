"""People as outlines in the image: all the bodies of a frame at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.canvas import Outlines, outlines_of
from stopline.runtime.sim.capsules import capsules
from stopline.runtime.sim.people import FLAT, PARTS, SMALL, TINY, Part, Person, outfit
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.shade import Shade, Stage
from stopline.runtime.sim.skeleton import Joint, Stances, joints_of

SHADED_PX = 56  # a body at least this tall shows which side is lit
LIMBED_PX = 30  # a smaller one no hands, shoes or neck
TINY_PX = 18  # and one smaller still only legs, a trunk and a head


def figures(people: Sequence[Person], shade: Shade, stage: Stage) -> list[Outlines]:
    """The people as they look to the camera, one for one; a row of the shade for each.

    They must all be in front of the camera.
    """
    if not people:
        return []
    crowd = _Crowd(people, stage)
    ends, has = crowd.parts()
    both = np.stack([ends, crowd.lit_side(ends)], 2)  # every part, then its lit side
    drawn = np.stack([has, has & crowd.shaded[:, None]], 2)
    drawn[:, Part.FACE, 1] = False
    matter = np.zeros_like(drawn)
    matter[:, :, 0] = True
    matter[:, Part.FACE] = False
    flat = np.broadcast_to(FLAT[:, None], drawn.shape)
    points = capsules(both[drawn], flat[drawn])
    colours = crowd.colours(shade)
    return outlines_of(points, colours[drawn], matter[drawn], drawn.sum((1, 2)))


class _Crowd:
    """The bodies of several people in the image; a row of every array is one person."""

    def __init__(self, people: Sequence[Person], stage: Stage) -> None:
        self._people, self._stage = people, stage
        self._height = np.array([who.looks.height for who in people])
        self._build = np.array([who.looks.build for who in people])
        self._heading = np.array([who.heading for who in people])
        joints, nose = self._joints()
        seen = stage.camera.camera_from_world(np.concatenate([joints, nose], 1).reshape(-1, 3))
        depth = seen[:, 2].reshape(len(people), -1)
        flat = stage.camera.pixels_from_camera(seen).reshape(len(people), -1, 2)
        self._joint, self._nose = flat[:, :16], flat[:, 16]
        self._px = stage.camera.focal_px / depth[:, Joint.NECK] * self._height
        self._left_far = depth[:, Joint.SHOULDER_L] > depth[:, Joint.SHOULDER_R]
        rotation = stage.camera.rotation
        forward = np.stack([np.sin(self._heading), np.cos(self._heading)], 1)
        self._ahead = forward @ rotation[2, [0, 2]]  # 1: turned away from the camera, -1: to it
        self._broad = np.abs(self._ahead)  # of the shoulders' width that shows
        self.shaded = self._px >= SHADED_PX

    def _joints(self) -> tuple[Floats, Floats]:
        """(n, 16, 3) joints and (n, 1, 3) nose, world."""
        people = self._people
        who = Stances(
            walking=np.array([p.pose == "walk" for p in people]),
            riding=np.array([p.pose == "ride" for p in people]),
            phase=np.array([p.phase for p in people]),
            stride=np.array([p.looks.stride for p in people]),
            build=self._build,
            raised=np.array([1.0 if p.looks.umbrella else p.looks.arm for p in people]),
            leaning=np.array([p.looks.leaning for p in people]),
        )
        local = joints_of(who) * self._height[:, None, None]
        sin, cos = np.sin(self._heading)[:, None], np.cos(self._heading)[:, None]
        place = np.array([(p.x, p.lift, p.z) for p in people])
        world = np.stack(
            [
                local[..., 0] * cos + local[..., 2] * sin,
                local[..., 1],
                local[..., 2] * cos - local[..., 0] * sin,
            ],
            axis=-1,
        )
        world += place[:, None]
        forward = np.concatenate([sin, np.full_like(sin, -0.18), cos], 1)
        nose = world[:, Joint.HEAD] + 0.036 * self._height[:, None] * forward
        return world, nose[:, None]

    def parts(self) -> tuple[Floats, NDArray[np.bool_]]:
        """(n, PARTS, 6) ends and radii of every part, px, and (n, PARTS) which are there."""
        n = len(self._people)
        ends = np.zeros((n, PARTS, 6))
        has = np.stack([outfit(who.looks, who.pose == "ride")[1] for who in self._people])
        self._limbs(ends)
        self._trunk(ends)
        self._head(ends)
        faces_us = self._ahead < 0.3
        has[:, Part.FACE] &= faces_us
        has[:, Part.BAG_BEHIND] &= self._ahead < 0
        has[:, Part.BAG_BEFORE] &= self._ahead >= 0
        has[np.ix_(self._px < LIMBED_PX, SMALL)] = False
        tiny = self._px < TINY_PX
        has[np.ix_(tiny, TINY)] = False
        for thigh in (Part.FAR_THIGH, Part.NEAR_THIGH):  # a leg in one piece
            ends[tiny, thigh, 3:5] = ends[tiny, thigh - 1, 3:5]
        return ends, has

    def _limbs(self, ends: Floats) -> None:
        far_arm = np.where(self._left_far, Joint.SHOULDER_L, Joint.SHOULDER_R)
        near_arm = Joint.SHOULDER_L + Joint.SHOULDER_R - far_arm
        far_leg = np.where(self._left_far, Joint.HIP_L, Joint.HIP_R)
        near_leg = Joint.HIP_L + Joint.HIP_R - far_leg
        wide, one = self._build, np.ones_like(self._build)
        for hand, shoulder in ((Part.FAR_HAND, far_arm), (Part.NEAR_HAND, near_arm)):
            self._part(ends, hand, (shoulder + 2, shoulder + 2), (0.021 * one, 0.021 * one))
            self._part(ends, hand + 1, (shoulder + 1, shoulder + 2), (0.022 * wide, 0.018 * wide))
            self._part(ends, hand + 2, (shoulder, shoulder + 1), (0.030 * wide, 0.023 * wide))
        for shoe, hip in ((Part.FAR_SHOE, far_leg), (Part.NEAR_SHOE, near_leg)):
            self._part(ends, shoe, (hip + 2, hip + 3), (0.023 * one, 0.018 * one))
            self._part(ends, shoe + 1, (hip + 1, hip + 2), (0.033 * wide, 0.023 * wide))
            self._part(ends, shoe + 2, (hip, hip + 1), (0.050 * wide, 0.035 * wide))

    def _part(
        self,
        ends: Floats,
        part: int,
        joints: tuple[NDArray[np.integer], NDArray[np.integer]],
        radii: tuple[Floats, Floats],
    ) -> None:
        """A limb between two joints, radii as shares of the height."""
        row = np.arange(len(ends))
        ends[:, part, 0:2] = self._joint[row, joints[0]]
        ends[:, part, 3:5] = self._joint[row, joints[1]]
        ends[:, part, 2], ends[:, part, 5] = radii[0] * self._px, radii[1] * self._px

    def _trunk(self, ends: Floats) -> None:
        """Torso, skirt and bag: as broad as shoulders and hips look from here."""
        joint, px, build = self._joint, self._px, self._build
        shoulders = joint[:, [Joint.SHOULDER_L, Joint.SHOULDER_R]].mean(1)
        hips = joint[:, [Joint.HIP_L, Joint.HIP_R]].mean(1)
        top = np.hypot(0.107 * self._broad, 0.052) * build * px
        low = np.hypot(0.082 * self._broad, 0.058) * build * px
        _set(ends, Part.TORSO, (shoulders + (hips - shoulders) * 0.02, top, hips, low))
        coat = np.array([who.looks.coat for who in self._people])[:, None]
        knees = joint[:, [Joint.HIP_L + 1, Joint.HIP_R + 1]].mean(1)
        spread = np.abs(joint[:, Joint.HIP_L + 1, 0] - joint[:, Joint.HIP_R + 1, 0]) / 2
        hem = 0.07 * build * px + spread
        _set(ends, Part.SKIRT, (hips, 0.98 * low, hips + (knees - hips) * coat * 1.2, hem))
        long = hips - shoulders
        for part in (Part.BAG_BEHIND, Part.BAG_BEFORE):
            bag = 0.075 * px * (0.6 + 0.4 * self._broad)
            behind = np.zeros_like(hips)
            turned = np.sin(self._heading) * self._stage.camera.rotation[0, 0]
            behind[:, 0] = -0.07 * px * turned
            start, end = shoulders + 0.25 * long + behind, shoulders + 0.7 * long + behind
            _set(ends, part, (start, bag, end, bag))

    def _head(self, ends: Floats) -> None:
        joint, px = self._joint, self._px
        radius = 0.058 * px * np.where(self._height < 1.45, 1.15, 1.0)
        head, neck = joint[:, Joint.HEAD], joint[:, Joint.NECK]
        up = np.stack([0 * radius, 0.2 * radius], 1)
        _set(ends, Part.THROAT, (neck, 0.03 * px, head, 0.027 * px))
        _set(ends, Part.LONG_HAIR, (head, radius, neck, 0.95 * radius))
        _set(ends, Part.SKULL, (head - up, radius, head + up, 0.92 * radius))
        nose = self._nose + [0, 0.1] * radius[:, None]
        _set(ends, Part.FACE, (nose - up, 0.8 * radius, nose + up, 0.72 * radius))
        _set(ends, Part.HAT, (head - 3.2 * up, 0.95 * radius, head - 2.2 * up, 1.12 * radius))
        hand, above = joint[:, Joint.HAND_R], head - up * (3.0 / 0.2) * 1.0
        top = np.stack([hand[:, 0], above[:, 1]], 1)
        _set(ends, Part.STICK, (hand, 0.008 * px, top, 0.008 * px))
        rim = top + np.stack([0 * px, 0.13 * px], 1)
        _set(ends, Part.UMBRELLA, (top, 0.07 * px, rim, 0.3 * px))

    def lit_side(self, ends: Floats) -> Floats:
        """(n, PARTS, 6) the part of every limb that the sun shines on."""
        light = self._stage.light
        aside = float(self._stage.camera.rotation[0] @ light.sun_direction)
        shift = 0.35 * aside if light.sun.mean() > 0.05 else 0.0
        lit: Floats = ends.copy()
        lit[..., [0, 3]] += shift * ends[..., [2, 5]]
        lit[..., [2, 5]] *= 0.6
        return lit

    def colours(self, shade: Shade) -> Floats:
        """(n, PARTS, 2, 3) of every limb and of its lit side."""
        paint = np.stack([outfit(who.looks, who.pose == "ride")[0] for who in self._people])
        sun = np.empty((len(paint), PARTS, 2, 1))
        sun[:, :, 0, 0] = np.where(self.shaded, 0.32, 0.55)[:, None]
        sun[:, :, 1, 0] = 0.78
        rows = shade.of((slice(None), None, None))
        lit: Floats = rows.round(paint[:, :, None], sun)
        return lit


def _set(ends: Floats, part: int, limb: tuple[Floats, Floats, Floats, Floats]) -> None:
    """A part from a point (n, 2) with a radius (n,) to another."""
    ends[:, part, 0:2], ends[:, part, 2] = limb[0], limb[1]
    ends[:, part, 3:5], ends[:, part, 5] = limb[2], limb[3]
