"""Where two graphs part: what was measured of each tensor, and what follows from it."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from stopline.export.bisect.noise import Noise
from stopline.export.bisect.segments import Kind
from stopline.export.contract import NET

# Signal to noise that a sound segment keeps, in dB: of the whole tensor, of its worst channel.
# Measured on road-nano: FP16 has 52.9 and 43.6 at the worst of its layers; INT8 with percentile
# ranges 21.8 and 10.9; INT8 with min-max ranges has 16.6 and 6.1 where a depthwise layer fails.
FLOORS: dict[Kind, tuple[float, float]] = {
    "float32": (60.0, 50.0),
    "float16": (40.0, 30.0),
    "int8": (20.0, 8.0),
}


# What quantization does to the gain of a channel: on road-nano at most .18, and mostly below .05.
MOST_GAIN = 0.3


def too_much(precision: Kind, own: Noise) -> bool:
    """Whether a segment has more noise of its own than its precision explains."""
    quiet = own.db >= FLOORS[precision][0] and own.channel_db >= FLOORS[precision][1]
    return not quiet or (precision == "int8" and abs(own.gain[1] - 1) > MOST_GAIN)


@dataclass(frozen=True, slots=True)
class Compared:
    """One tensor that both graphs have. Decibels are inf where there is no difference at all."""

    tensor: str
    node: str  # that makes it
    place: str  # where to look: the node, or what was put before it in another part
    op: str  # of a layer with its kind: "depthwise Conv"
    precision: Kind
    through: tuple[str, ...]  # nodes on the way to it that one graph lacks
    own_db: float  # signal to noise of this segment alone, on what the reference gives it
    own_channel_db: float  # of its noisiest channel
    own_channel: int
    own_gain: float  # of the channel whose gain is furthest from 1
    own_gain_channel: int
    db: float | None  # with all the noise it inherits; None after the top k, which reorders
    max_difference: float  # of `db`

    parts: bool  # as `too_much`

    def __str__(self) -> str:
        whole, channel = FLOORS[self.precision]
        detail = f"signal to its own noise {decibels(self.own_db)}"
        if self.own_db >= whole and self.own_channel_db < channel:
            detail = (
                f"signal to noise of its channel {self.own_channel} {decibels(self.own_channel_db)}"
            )
        elif self.own_db >= whole:
            detail = f"channel {self.own_gain_channel} is {self.own_gain:.2f} times what it was"
        before = f", in front of {self.node}" if self.place != self.node else ""
        others = [name for name in self.through if name != self.place]
        way = f", through {', '.join(others)}" if others else ""
        return f"{self.place}{before} ({self.op}, {self.precision}: {detail}{way})"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the own noise of one segment alone does to what the detector gives."""

    place: str
    precision: Kind
    share: float  # 0..1 of all such noise: the mean of its share in scores and in boxes
    scores_db: float  # the candidates' best scores, signal to noise
    boxes_px: float  # rms of the corners, each candidate weighing as much as its score


@dataclass(frozen=True, slots=True)
class Parting:
    """Two graphs compared tensor by tensor, in the order in which they compute."""

    frames: int
    compared: tuple[Compared, ...]
    contributions: tuple[Contribution, ...]  # the worst first; empty if none was asked for
    input: str | None = None  # how the frames themselves differ, if they do
    classes: str | None = None  # how the manifests name the classes differently, if they do

    @property
    def parted(self) -> tuple[Compared, ...]:
        """Every tensor with more noise of its own than its precision explains."""
        return tuple(each for each in self.compared if each.parts)

    @property
    def first(self) -> Compared | None:
        """The first of them."""
        return next(iter(self.parted), None)

    @property
    def place(self) -> str | None:
        """Where they part: "frames", the name of a node, or "classes"; None if they do not."""
        if self.input:
            return "frames"
        return self.first.place if self.first else "classes" if self.classes else None

    @property
    def end(self) -> Compared | None:
        """The last tensor of the detector's own: what is decoded."""
        of_net = [each for each in self.compared if each.tensor.startswith(NET)]
        return of_net[-1] if of_net else None

    def __str__(self) -> str:
        """One line."""
        if self.input:
            return f"the frames already differ: {self.input}"
        if self.first:
            others = len(self.parted) - 1
            return f"they part at {self.first}" + (f"; {others} more after it" if others else "")
        if self.classes:
            return f"the graphs agree, the manifests do not: {self.classes}"
        left = f"{self.end.tensor}: {decibels(self.end.db)}" if self.end else "no net"
        if not any(each.precision == "int8" for each in self.compared):
            return f"they part nowhere ({left})"
        most = ", ".join(f"{c.place} {c.share:.0%}" for c in self.contributions[:3])
        by = f", most of it from {most}" if most else ""
        return f"no layer parts by itself; their noise adds up ({left}){by}"

    def as_json(self) -> dict[str, Any]:
        """Plain values; a decibel that is infinite is None where nothing differs, else -999."""
        tree: dict[str, Any] = {"place": self.place, "says": str(self)}
        tree |= {"frames": self.frames, "input": self.input, "classes": self.classes}
        tree["compared"] = [_finite(asdict(c)) for c in self.compared]
        tree["contributions"] = [_finite(asdict(each)) for each in self.contributions]
        return tree


def decibels(db: float | None) -> str:
    """As text."""
    if db is None:
        return "-"
    return {math.inf: "no noise", -math.inf: "nothing but noise"}.get(db, f"{db:.1f} dB")


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: (None if value > 0 else -999.0)
        if isinstance(value, float) and math.isinf(value)
        else value
        for key, value in row.items()
    }
