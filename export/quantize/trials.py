"""What a search has measured so far, a line each, so that it goes on where it was interrupted.

    {"type": "of", "graph": "…", "score": "…"}
    {"type": "noise", "layer": "net/conv", "noise": 0.001}
    {"type": "trial", "float_layers": ["net/conv"], "int8_macs": 0.9, "score": 0.98, "seconds": 4}

The first line says what was measured of what. If that changes, the old lines mean nothing, and
the file begins anew. A line that was being written when the process died is dropped; what a power
cut takes is measured again.
"""

import fcntl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from stopline.export.raw import ExportError

FILE = "trials.jsonl"


class Of(msgspec.Struct, frozen=True, tag="of"):
    """What the lines below it are of."""

    graph: str  # hash of the graph with every layer in INT8: weights, ranges, rounding
    score: str  # what was measured, on what


class Noise(msgspec.Struct, frozen=True, tag="noise"):
    """What one layer alone adds when it is INT8."""

    layer: str
    noise: float | None  # None: not finite, which JSON cannot say


class Trial(msgspec.Struct, frozen=True, tag="trial"):
    """One choice of layers that stay in float, and how good it is."""

    float_layers: tuple[str, ...]  # sorted
    int8_macs: float  # share of all
    score: float  # share of FP32's
    seconds: float


class Trials:
    """Measures what is not known yet. `resumed` counts the trials that were known at the start."""

    def __init__(self, file: BinaryIO, of: Of) -> None:
        self._file = file
        known = _whole_lines(file)
        self.begun_anew = bool(known) and known[0] != of
        if not known or self.begun_anew:
            known = []
            file.truncate(0)
            self._append(of)
        self._noise = {line.layer: line.noise for line in known if isinstance(line, Noise)}
        self._trials = {line.float_layers: line for line in known if isinstance(line, Trial)}
        self.resumed = len(self._trials)

    @property
    def done(self) -> tuple[Trial, ...]:
        """Every trial, in the order in which they were made."""
        return tuple(self._trials.values())

    def noise(self, layer: str, measure: Callable[[], float]) -> float:
        """Of that layer alone; inf if it is not finite."""
        if layer not in self._noise:
            found = measure()
            self._noise[layer] = found if abs(found) < float("inf") else None
            self._append(Noise(layer, self._noise[layer]))
        noise = self._noise[layer]
        return float("inf") if noise is None else noise

    def trial(
        self, float_layers: Collection[str], int8_macs: float, measure: Callable[[], float]
    ) -> Trial:
        """The score with these layers in float; what is not a number is no score, and so 0."""
        key = tuple(sorted(float_layers))
        if key not in self._trials:
            started = time.monotonic()
            score = measure()
            score = score if abs(score) < float("inf") else 0.0
            seconds = round(time.monotonic() - started, 3)
            self._trials[key] = Trial(key, int8_macs, score, seconds)
            self._append(self._trials[key])
        return self._trials[key]

    def _append(self, line: Of | Noise | Trial) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()


@contextmanager
def trials_in(work: Path, of: Of) -> Iterator[Trials]:
    """Those of the folder `work`, which is made. Raises ExportError if a search is running there.

    Raises OSError if it cannot be written.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / FILE).open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise ExportError(
                f"another search is writing {work / FILE}: wait for it, or name another folder"
            ) from taken
        yield Trials(file, of)


def _whole_lines(file: BinaryIO) -> list[Of | Noise | Trial]:
    """Up to the first that is not whole; what follows is cut off the file."""
    file.seek(0)
    lines: list[Of | Noise | Trial] = []
    whole = 0
    for raw in file:
        try:
            lines.append(msgspec.json.decode(raw, type=Of | Noise | Trial))
        except msgspec.DecodeError:
            break
        if not raw.endswith(b"\n"):
            lines.pop()
            break
        whole += len(raw)
    file.truncate(whole)
    return lines
