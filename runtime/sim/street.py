"""What kind of street a seed is: its cross-section, its character and the camera in it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stopline.runtime.sim.chance import between, dice, happens, one_of
from stopline.runtime.sim.projection import Pinhole, rotation_of
from stopline.runtime.sim.settings import RoadSettings

STREET_KEY = 12
Setting = Literal["city", "suburb", "park"]


@dataclass(frozen=True, slots=True)
class Street:
    """Half the street from its centre line outwards, in metres; both halves are alike."""

    setting: Setting
    drives_on: int  # +1 right, -1 left
    lanes: int  # in each direction
    lane_m: float
    parking_m: float  # 0 without parked cars
    verge_m: float  # grass or trees between kerb and pavement
    pavement_m: float
    setback_m: float  # front gardens
    block_m: float  # from one junction to the next
    junction_m: float  # width of the street that crosses
    yellow_centre: bool

    @property
    def kerb_m(self) -> float:
        """Where the carriageway ends."""
        return self.lanes * self.lane_m + self.parking_m

    @property
    def pavement_from_m(self) -> float:
        return self.kerb_m + self.verge_m

    @property
    def front_m(self) -> float:
        """Where the buildings stand."""
        return self.pavement_from_m + self.pavement_m + self.setback_m

    def lane_x(self, lane: int, direction: int) -> float:
        """The middle of a lane, 0 is the innermost; direction is +1 with the camera."""
        return direction * self.drives_on * (lane + 0.5) * self.lane_m


@dataclass(frozen=True, slots=True)
class Rig:
    """How the camera is mounted in its car."""

    lane: int  # 0 is the innermost
    x_m: float
    height_m: float
    yaw: float
    pitch: float
    half_view: float  # tan of half the horizontal field of view
    sway: float  # how much the car rocks, as a multiple of the usual
    bonnet: float  # share of the image height its own car's bonnet takes, 0 for none


def street_of(settings: RoadSettings) -> Street:
    """The street of a seed."""
    rng = dice(settings.seed, STREET_KEY)
    setting: Setting = one_of(rng, ("city", "city", "suburb", "suburb", "park"))
    city, park = setting == "city", setting == "park"
    return Street(
        setting=setting,
        drives_on=1 if happens(rng, 0.7) else -1,
        lanes=2 if happens(rng, 0.35 if city else 0.15) else 1,
        lane_m=between(rng, 2.9, 3.7),
        parking_m=2.2 if happens(rng, 0.2 if park else 0.65) else 0.4,
        verge_m=between(rng, 0.3, 0.8) if city else between(rng, 0.6, 2.4),
        pavement_m=between(rng, 2.2, 4.0) if city else between(rng, 1.5, 2.4),
        setback_m=between(rng, 0.0, 0.6) if city else between(rng, 3.5, 8.0),
        block_m=between(rng, 48, 78),
        junction_m=between(rng, 8, 13),
        yellow_centre=happens(rng, 0.5),
    )


def rig_of(settings: RoadSettings, street: Street) -> Rig:
    """The camera of a seed."""
    rng = dice(settings.seed, STREET_KEY, 1)
    lane = int(rng.integers(street.lanes))
    return Rig(
        lane=lane,
        x_m=street.lane_x(lane, 1) + between(rng, -0.35, 0.35),
        height_m=between(rng, 1.15, 1.9),
        yaw=float(rng.normal(0, 0.035)),
        pitch=between(rng, -0.06, 0.05),
        half_view=float(np.tan(between(rng, 0.42, 0.72))),
        sway=between(rng, 0.3, 1.5),
        bonnet=between(rng, 0.04, 0.13) if happens(rng, 0.25) else 0.0,
    )


def camera_at(settings: RoadSettings, rig: Rig, t_s: float) -> Pinhole:
    """The camera at a time: it drives straight on, and its springs rock it a little."""
    rock = rig.sway * min(1.0, settings.speed_mps / 5)
    bounce = rock * (0.012 * np.sin(7.9 * t_s + 1) + 0.007 * np.sin(13.1 * t_s))
    yaw = rig.yaw + rock * 0.004 * np.sin(0.9 * t_s)
    pitch = rig.pitch + rock * (0.0022 * np.sin(6.7 * t_s) + 0.0012 * np.sin(11.3 * t_s + 2))
    x = rig.x_m + rock * 0.10 * np.sin(0.5 * t_s)
    width = max(settings.width, settings.height * 4 / 3)  # a tall image sees no wider than 4:3
    return Pinhole(
        settings.width,
        settings.height,
        focal_px=width / 2 / rig.half_view,
        position=np.array([x, rig.height_m + bounce, settings.speed_mps * t_s]),
        yaw=float(yaw),
        pitch=float(pitch),
        rotation=rotation_of(float(yaw), float(pitch)),
    )
