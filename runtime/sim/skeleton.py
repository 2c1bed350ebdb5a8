"""Where people's joints are, walking, standing or riding, as shares of the height.

All people of a frame at once: every argument is an array of (n,) and a row is one person.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.sim.projection import Floats

Pose = Literal["walk", "stand", "ride"]


class Joint(IntEnum):
    """Columns of the joints; L and R are the person's own."""

    HEAD = 0
    NECK = 1
    SHOULDER_L = 2
    ELBOW_L = 3
    HAND_L = 4
    SHOULDER_R = 5
    ELBOW_R = 6
    HAND_R = 7
    HIP_L = 8
    KNEE_L = 9
    ANKLE_L = 10
    TOE_L = 11
    HIP_R = 12
    KNEE_R = 13
    ANKLE_R = 14
    TOE_R = 15


THIGH, SHIN, UPPER_ARM, FOREARM = 0.245, 0.24, 0.17, 0.16
ANKLE_HEIGHT = 0.045


@dataclass(frozen=True, slots=True, eq=False)
class Stances:
    """How people hold themselves, each (n,)."""

    walking: NDArray[np.bool_]
    riding: NDArray[np.bool_]
    phase: Floats  # of the gait or of the pedals, radians
    stride: Floats  # a multiple of the usual swing of the legs
    build: Floats  # width, a multiple of the usual
    raised: Floats  # 0..1 how far the right hand is lifted
    leaning: Floats  # of the trunk, radians forward


def joints_of(who: Stances) -> Floats:
    """(n, 16, 3) right, up, forward; the feet on the ground at the origin."""
    afoot = _afoot(who)
    if not who.riding.any():
        return afoot
    return np.where(who.riding[:, None, None], _riding(who), afoot)


def _afoot(who: Stances) -> Floats:
    joints = np.zeros((len(who.phase), 16, 3))
    lean = np.sin(who.leaning)
    joints[:, Joint.HEAD, 1], joints[:, Joint.NECK, 1] = 0.93, 0.855
    joints[:, Joint.HEAD, 2], joints[:, Joint.NECK, 2] = 0.02 + 0.4 * lean, 0.008 + 0.33 * lean
    swing = np.where(who.walking, 0.5 * who.stride * np.sin(who.phase), 0.06)
    for side, shoulder, hip in (
        (-1, Joint.SHOULDER_L, Joint.HIP_L),
        (1, Joint.SHOULDER_R, Joint.HIP_R),
    ):
        angle = -side * swing
        raised = who.raised if side == 1 else 0.0
        bend = 0.3 + 0.4 * np.maximum(0, -angle) + 1.6 * raised
        _arm(joints, shoulder, (side * 0.108 * who.build, 0.29 * lean), (-0.8 * angle, bend))
        # The leg that swings forward is bent, the one that bears is not.
        forward = np.maximum(0, -side * np.cos(who.phase))
        knee = np.where(who.walking, 0.12 + 0.85 * forward, 0.04)
        _leg(joints, hip, side * 0.052 * who.build, (angle, knee))
    lowest = joints[:, [Joint.ANKLE_L, Joint.ANKLE_R], 1].min(1)
    joints[..., 1] += (ANKLE_HEIGHT - lowest)[:, None]
    return joints


def _leg(joints: Floats, hip: int, x: Floats, angles: tuple[Floats, Floats]) -> None:
    """Hip, knee, ankle, toe; the angles are forward at the hip and backwards at the knee."""
    angle, below = angles[0], angles[0] - angles[1]
    joints[:, hip : hip + 4, 0] = x[:, None]
    knee_y, knee_z = 0.525 - THIGH * np.cos(angle), THIGH * np.sin(angle)
    ankle_y, ankle_z = knee_y - SHIN * np.cos(below), knee_z + SHIN * np.sin(below)
    joints[:, hip, 1] = 0.525
    joints[:, hip + 1, 1], joints[:, hip + 1, 2] = knee_y, knee_z
    joints[:, hip + 2, 1], joints[:, hip + 2, 2] = ankle_y, ankle_z
    joints[:, hip + 3, 1], joints[:, hip + 3, 2] = ankle_y - 0.025, ankle_z + 0.085


def _arm(
    joints: Floats, shoulder: int, at: tuple[Floats, Floats], angles: tuple[Floats, Floats]
) -> None:
    """Shoulder, elbow, hand; the angles are forward at the shoulder and at the elbow."""
    (x, z), angle, below = at, angles[0], angles[0] + angles[1]
    out = np.sign(x)
    elbow_y, elbow_z = 0.82 - UPPER_ARM * np.cos(angle), z + UPPER_ARM * np.sin(angle)
    hand_y, hand_z = elbow_y - FOREARM * np.cos(below), elbow_z + FOREARM * np.sin(below)
    arm = slice(shoulder, shoulder + 3)
    joints[:, arm, 0] = np.stack([x, x + 0.03 * out, x + 0.02 * out], 1)
    joints[:, arm, 1] = np.stack([np.full_like(x, 0.82), elbow_y, hand_y], 1)
    joints[:, arm, 2] = np.stack([z, elbow_z, hand_z], 1)


def _riding(who: Stances) -> Floats:
    """Bent forward, the hands at the bar, the feet on the pedals."""
    joints = np.zeros((len(who.phase), 16, 3))
    joints[:, Joint.HEAD], joints[:, Joint.NECK] = (0, 0.86, 0.1), (0, 0.78, 0.07)
    for side, shoulder, hip in (
        (-1, Joint.SHOULDER_L, Joint.HIP_L),
        (1, Joint.SHOULDER_R, Joint.HIP_R),
    ):
        joints[:, shoulder] = (side * 0.115, 0.755, 0.06)
        joints[:, shoulder + 1] = (side * 0.15, 0.63, 0.145)
        joints[:, shoulder + 2] = (side * 0.13, 0.6, 0.27)
        turn = who.phase + (0 if side == 1 else np.pi)
        joints[:, hip] = (side * 0.06, 0.49, -0.09)
        joints[:, hip + 2, 0] = side * 0.065
        joints[:, hip + 2, 1] = 0.17 + 0.09 * np.cos(turn)
        joints[:, hip + 2, 2] = 0.03 + 0.09 * np.sin(turn)
        joints[:, hip + 1] = _knee(joints[:, hip], joints[:, hip + 2])
        joints[:, hip + 3] = joints[:, hip + 2] + [0, -0.01, 0.08]
    return joints


def _knee(hip: Floats, ankle: Floats) -> Floats:
    """(n, 3) where the knee is: in front of the line from hip to ankle."""
    reach = ankle - hip
    length = np.hypot(reach[:, 1], reach[:, 2])
    out = np.sqrt(np.maximum(THIGH**2 - (length / 2) ** 2, 1e-6)) / length
    forward = np.stack([0 * out, reach[:, 2], -reach[:, 1]], axis=1)
    knee: Floats = (hip + ankle) / 2 + out[:, None] * forward
    return knee
