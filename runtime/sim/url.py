"""`sim://road?…`: the settings of a street and what is to go wrong with its camera."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stopline.runtime.sim.settings import MAX_SIDE, MIN_SIDE, RoadSettings

EXAMPLE = "sim://road?width=640&height=360&fps=30&seed=7&time=night&rain=1&stall=3:0.5"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the stream, in seconds from its start."""

    at_s: float
    for_s: float

    def __contains__(self, t_s: float) -> bool:
        return self.at_s <= t_s < self.at_s + self.for_s


@dataclass(frozen=True, slots=True)
class Resize:
    """From when on the frames have another size."""

    at_s: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with the camera, and how its stream runs and ends."""

    stall: Span | None = None  # no frames come; then the stream goes on where it is by then
    freeze: Span | None = None  # the same pixels come again and again, as new frames
    drop: float = 0.0  # share of the frames that are lost
    die_at_s: float | None = None  # the device is gone
    resize: Resize | None = None
    frames: int | None = None  # how many there are; None is no end
    realtime: bool = True  # False: frame after frame as fast as they are asked for, like a file


def parse_road(url: str) -> tuple[RoadSettings, Faults]:
    """Read a `sim://road` address; a ValueError says what was found and what is known."""
    parts = urlsplit(url)
    if parts.scheme != "sim" or parts.netloc != "road" or parts.path not in ("", "/"):
        raise ValueError(f"{url!r} is not a simulated road: such a source looks like {EXAMPLE}")
    settings: dict[str, Any] = {}
    faults: dict[str, Any] = {}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        into = settings if key in SETTINGS else faults
        field, read = {**SETTINGS, **FAULTS}.get(key, (None, None))
        if field is None or read is None:
            raise ValueError(f"{url!r} has the unknown key {key!r}; {_known()}")
        if field in into:
            raise ValueError(f"{url!r} has the key {key!r} twice; {_known()}")
        try:
            into[field] = read(text)
        except ValueError as error:
            raise ValueError(f"{url!r} has {key}={text!r}: {error}; {_known()}") from None
    try:
        return RoadSettings(**settings), Faults(**faults)
    except ValueError as error:
        raise ValueError(f"{url!r}: {error}; {_known()}") from None


def _known() -> str:
    return f"the keys are {', '.join([*SETTINGS, *FAULTS])}, for example {EXAMPLE}"


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("wanted a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("wanted a number") from None


def _at_least(low: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = _number(text)
        if not low <= value < float("inf"):
            raise ValueError(f"wanted a number from {low:g} on")
        return value

    return read


def _share(text: str) -> float:
    value = _number(text)
    if not 0 <= value < 1:
        raise ValueError("wanted a share from 0 to less than 1")
    return value


def _count(text: str) -> int:
    value = _integer(text)
    if value < 0:
        raise ValueError("wanted a number of frames")
    return value


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("wanted 0 or 1")
    return text == "1"


def _span(text: str) -> Span:
    at, colon, length = text.partition(":")
    if not colon:
        raise ValueError("wanted AT:FOR in seconds, such as 3:0.5")
    return Span(_at_least(0)(at), _at_least(0)(length))


def _resize(text: str) -> Resize:
    at, _, size = text.partition(":")
    width, cross, height = size.partition("x")
    if not cross:
        raise ValueError("wanted AT:WIDTHxHEIGHT, such as 4:640x480")
    sides = _integer(width), _integer(height)
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ValueError(f"wanted a width and height within {MIN_SIDE}..{MAX_SIDE}")
    return Resize(_at_least(0)(at), *sides)


# key in the address → field, and how its text is read
SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "width": ("width", _integer),
    "height": ("height", _integer),
    "fps": ("fps", _number),
    "seed": ("seed", _integer),
    "time": ("time_of_day", str),
    "rain": ("rain", _number),
    "speed": ("speed_mps", _number),
    "density": ("density", _number),
    "noise": ("noise", _number),
    "jpeg": ("jpeg", _integer),
}
FAULTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "frames": ("frames", _count),
    "realtime": ("realtime", _switch),
    "stall": ("stall", _span),
    "freeze": ("freeze", _span),
    "drop": ("drop", _share),
    "die_at": ("die_at_s", _at_least(0)),
    "resize_at": ("resize", _resize),
}
