"""What street is rendered, for which camera."""

from dataclasses import dataclass
from typing import Literal, get_args

TimeOfDay = Literal["day", "dusk", "night"]

# Names as in road-nano, so that a detector trained on one can be judged on the other.
CLASSES = (
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "bus",
    "truck",
    "traffic light",
    "stop sign",
    "pole",
)

MIN_SIDE, MAX_SIDE = 8, 7680  # pixels


@dataclass(frozen=True, slots=True)
class RoadSettings:
    """All that decides what is rendered: equal settings and time give identical bits."""

    width: int = 1280
    height: int = 720
    fps: float = 30.0
    seed: int = 0  # decides the street, the people, the cars, the lens and the weather's detail
    time_of_day: TimeOfDay = "day"
    rain: float = 0.0  # 0..1
    speed_mps: float = 9.0
    density: float = 1.0  # of people and vehicles; 0 is an empty street
    noise: float = 1.0  # sensor noise, as a multiple of what the time of day makes likely
    jpeg: int = 0  # quality 1..100 of a compression the image has been through; 0 is none

    def __post_init__(self) -> None:
        for side in ("width", "height"):
            _check(side, getattr(self, side), MIN_SIDE, MAX_SIDE)
        _check("fps", self.fps, 0.1, 1000)
        _check("seed", self.seed, 0, 2**63 - 1)
        _check("rain", self.rain, 0, 1)
        _check("speed_mps", self.speed_mps, 0, 60)
        _check("density", self.density, 0, 4)
        _check("noise", self.noise, 0, 10)
        _check("jpeg", self.jpeg, 0, 100)
        if self.time_of_day not in get_args(TimeOfDay):
            raise ValueError(
                f"time_of_day={self.time_of_day!r} is none of {', '.join(get_args(TimeOfDay))}"
            )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise ValueError(f"{name}={value!r} is not within {low}..{high}")
