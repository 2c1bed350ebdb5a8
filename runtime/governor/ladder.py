"""What is given up first, second and last: announced before anything is."""

from dataclasses import dataclass

CAMERA_FPS = 30.0  # of a camera that does not say
SLOWEST_FPS = 5.0  # below it a tracker loses whom it follows, and a camera soon looks STALE


@dataclass(frozen=True, slots=True)
class Rung:
    """What remains of what was asked for: None is all of it."""

    name: str
    most_fps: float | None = None  # of each camera
    detector: int = 0  # 0 is the one asked for, 1 the fallback
    cameras: int | None = None  # how many are still looked at, in the order given


def ladder_for(
    deadline_s: float, cameras: int, fallback: bool, camera_fps: float | None = None
) -> tuple[Rung, ...]:
    """The whole first, then less often, then the fallback detector too, then fewer cameras too.

    Never less often than a deadline long: who wants no answer older than that waits no longer
    for one either.
    """
    if deadline_s <= 0 or cameras < 1:
        raise ValueError(f"deadline {deadline_s} s, {cameras} cameras: wanted more than 0 of each")
    rungs = [Rung("all that was asked for")]
    rungs += [Rung(_at(fps), fps) for fps in _rates(camera_fps or CAMERA_FPS, 1 / deadline_s)]
    slowest = rungs[-1].most_fps
    detector = 1 if fallback else 0
    name = f"{rungs[-1].name}, fallback detector" if fallback else rungs[-1].name
    if fallback:
        rungs.append(Rung(name, slowest, detector))
    for kept in range(cameras - 1, 0, -1):
        rungs.append(Rung(f"{name}, {kept} of {cameras} cameras", slowest, detector, kept))
    return tuple(rungs)


def _rates(camera_fps: float, wanted_fps: float) -> list[float]:
    """Halved until it is the slowest allowed; at least once."""
    slowest = min(max(SLOWEST_FPS, wanted_fps), camera_fps / 2)
    rates = [camera_fps / 2]
    while rates[-1] > 1.2 * slowest:  # a smaller step would change too little to be one
        rates.append(max(rates[-1] / 2, slowest))
    return rates


def _at(fps: float) -> str:
    return f"at most {fps:.3g} fps"
