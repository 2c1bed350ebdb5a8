"""How much each layer harms the detector when it is INT8, and what that costs to avoid.

Noise in the answer takes a few frames to measure and has little chance in it, so it is known of
every layer and ranks them. What noise costs is told from the score with every layer in INT8. The
score of a layer alone is measured for the noisiest, and counts where it is worse than chance: of a
hundred images, layers that do not matter score from .99 to 1.01.
"""

import math
from dataclasses import dataclass

from stopline.export.quantize.bench import Bench, OnStep

CHANCE = 0.01  # share; road-nano in other orders of float sums moves by .007 on 265 images


@dataclass(frozen=True)
class Harm:
    """Of one layer in INT8, with all others in float."""

    layer: str
    macs: float  # share of all
    noise: float  # over the signal of the answer, in power
    lost: float  # share of FP32's score, about

    @property
    def per_mac(self) -> float:
        """What keeping the layer in float gains, for each multiply-accumulate it costs."""
        return self.lost / self.macs if self.macs else math.inf


def harms(bench: Bench, measured: int, on_step: OnStep) -> tuple[Harm, ...]:
    """Of every layer, the one that is most worth keeping in float first.

    `measured` of them are judged by the score, each with all other layers in float.
    """
    noise: dict[str, float] = {}
    for at, name in enumerate(bench.layers):
        on_step(f"noise of {name} alone", at / len(bench.layers) / 2)
        noise[name] = bench.noise_alone(name)
    noisiest = sorted(noise, key=lambda name: -noise[name])[:measured]
    lost: dict[str, float] = {}
    for at, name in enumerate(noisiest):
        on_step(f"score with {name} alone in INT8", 0.5 + at / len(noisiest) / 2)
        lost[name] = 1 - CHANCE - bench.alone(name).score
    rate = _lost_per_noise(1 - bench.trial(()).score, noise)
    every = [
        Harm(
            layer=name,
            macs=bench.share([name]),
            noise=noise[name],
            lost=max(lost.get(name, 0.0), min(1.0, rate * noise[name])),
        )
        for name in bench.layers
    ]
    return tuple(sorted(every, key=lambda harm: (-harm.per_mac, -harm.noise)))


def _lost_per_noise(lost: float, noise: dict[str, float]) -> float:
    """As if the noise of layers added up, which it does while there is little of it."""
    whole = sum(each for each in noise.values() if each < math.inf)
    return max(lost, CHANCE) / whole if whole else 1.0
