"""How far a tensor is from what it should be: signal to noise, in all and by channel."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Sums = NDArray[np.float64]  # (channels,)


LOUD = 0.02  # of the average channel's variance; the gain of a fainter one is but noise


class Noise(NamedTuple):
    """Sums over a tensor by channel; see `noise_between`. Two of other frames are `plus`."""

    values: Sums  # how many
    wanted: Sums
    found: Sums
    signal: Sums  # wanted squared
    cross: Sums  # wanted times found
    noise: Sums  # their difference squared
    max_difference: float

    @property
    def db(self) -> float:
        """10 log10 of signal over noise; inf where they are equal, -inf where not finite."""
        return decibel(float(self.signal.sum()), float(self.noise.sum()))

    @property
    def channel(self) -> int:
        """The one with the most noise."""
        return int(np.argmax(self.noise))

    @property
    def channel_db(self) -> float:
        """Of the noisiest channel, against the signal that a channel has on average.

        A dead channel is nothing but noise and does no harm: its own signal says too little.
        """
        return decibel(float(self.signal.mean()), float(self.noise.max()))

    @property
    def gain(self) -> tuple[int, float]:
        """The channel whose gain is furthest from 1, and that: noise leaves a gain as it is."""
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = self.signal - self.wanted**2 / self.values
            gains = (self.cross - self.wanted * self.found / self.values) / variance
            loud = (variance > LOUD * variance.mean()) & np.isfinite(gains)
        if not loud.any():
            return 0, 1.0
        channel = int(np.argmax(np.where(loud, np.abs(gains - 1), -1)))
        return channel, float(gains[channel])

    def plus(self, other: "Noise | None") -> "Noise":
        """Over the frames of both."""
        if other is None:
            return self
        return Noise(
            values=self.values + other.values,
            wanted=self.wanted + other.wanted,
            found=self.found + other.found,
            signal=self.signal + other.signal,
            cross=self.cross + other.cross,
            noise=self.noise + other.noise,
            max_difference=max(self.max_difference, other.max_difference),
        )


def noise_between(wanted: NDArray[Any], found: NDArray[Any]) -> Noise:
    """Of two tensors of one shape."""
    wanted, found = _channels(wanted), _channels(found)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = found - wanted
        largest = float(np.abs(difference).max(initial=0))
        noise, cross = _products(difference, difference), _products(wanted, found)
        of_found = found.sum(axis=1, dtype=np.float64)
    noise[~np.isfinite(noise)] = np.inf
    return Noise(
        values=np.full(len(wanted), wanted.shape[1], np.float64),
        wanted=wanted.sum(axis=1, dtype=np.float64),
        found=of_found,
        signal=_products(wanted, wanted),
        cross=cross,
        noise=noise,
        max_difference=largest if math.isfinite(largest) else math.inf,
    )


def decibel(signal: float, noise: float) -> float:
    """10 log10 of a ratio of powers, infinite at either end."""
    if noise == 0:
        return math.inf
    if signal == 0 or math.isinf(noise):
        return -math.inf
    return 10 * math.log10(signal / noise)


def _products(ones: NDArray[Any], others: NDArray[Any]) -> Sums:
    """Of two rows each; summed in float64."""
    sums: Sums = np.einsum("cn,cn->c", ones, others, dtype=np.float64)
    return sums


def _channels(values: NDArray[Any]) -> NDArray[Any]:
    """(channels, the rest): of a map the second axis, else the shortest but the first."""
    if values.dtype != np.float32:  # float16 would overflow, integers wrap
        values = values.astype(np.float64)
    if values.ndim < 2:
        return values.reshape(1, -1)
    axis = 1 if values.ndim == 4 else 1 + int(np.argmin(values.shape[1:]))
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
