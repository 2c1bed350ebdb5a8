"""Results and events as JSON, one object a line, each line whole whatever happens to the disk."""

import os
import stat
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.events import Event
from stopline.runtime.frame import Result

STDOUT = "-"
PIECES = 5  # files among which the room is divided
LOOK_EVERY_NS = 1_000_000_000  # for whether the file still has its name

_encoder = msgspec.json.Encoder()


class _Found(msgspec.Struct):
    box: list[float]  # xyxy, pixels of the source frame
    score: float
    name: str = msgspec.field(name="class")
    track: int | None = None


class _Line(msgspec.Struct):
    camera: str
    index: int | None
    captured_ns: int | None
    age_ms: float | None
    state: str
    dropped: int
    missed: int
    stages_ms: dict[str, float]
    detections: list[_Found]


class JsonLines(Closing):
    """Writes `run --json`. A line of a camera that is not LIVE has no index and no detections.

    With `most_mib` the file is turned over: `x.jsonl` is renamed `x.jsonl.1`, that `x.jsonl.2`,
    and so on, before it outgrows a fifth of that; all of them together never do. A file that was
    moved away or deleted (logrotate does) is followed by a new one within a second.
    """

    name = "json"
    wants_images = False

    def __init__(
        self, path: str, most_mib: float | None = None, clock: Clock = time.monotonic_ns
    ) -> None:
        """Open `path`, `-` for standard output; raises OSError.

        What is there already is turned over with `most_mib`, and emptied without.
        """
        self.path = path
        self._most = None if most_mib is None else int(most_mib * (1 << 20) / PIECES)
        self._clock = clock
        self._looked_ns = clock()
        if self._most is not None and path != STDOUT and Path(path).is_file():
            _turn_over(path)
        self._file = sys.stdout.fileno() if path == STDOUT else _opened(path, os.O_TRUNC)
        self._regular = path != STDOUT and stat.S_ISREG(os.fstat(self._file).st_mode)

    def write(self, result: Result) -> None:
        """Write one line, all of it or nothing; raises OSError, for one if the disk is full."""
        self._append(result_json(result) + b"\n")

    def tell(self, event: Event) -> None:
        """The same; the line has a field `event`, which results have not."""
        self._append(event_json(event) + b"\n")

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.path != STDOUT:
            os.close(self._file)

    def _append(self, line: bytes) -> None:
        written = 0
        try:
            if self._regular:
                self._make_way(len(line))
            # Past Python's buffers: what has happened is on record before the next frame.
            while written < len(line):
                written += os.write(self._file, line[written:])
        except BrokenPipeError:
            raise
        except OSError as error:
            if written and stat.S_ISREG(os.fstat(self._file).st_mode):
                whole = os.lseek(self._file, -written, os.SEEK_CUR)
                os.ftruncate(self._file, whole)
            raise OSError(f"cannot write {self.path!r}: {error.strerror}") from error

    def _make_way(self, wanted: int) -> None:
        now_ns = self._clock()
        if now_ns - self._looked_ns >= LOOK_EVERY_NS:
            self._looked_ns = now_ns
            if not _is_named(self._file, self.path):
                self._open_anew()
        size = 0 if self._most is None else os.fstat(self._file).st_size
        if self._most is not None and size and size + wanted > self._most:
            _turn_over(self.path)
            self._open_anew()

    def _open_anew(self) -> None:
        """The new one first: if it cannot be, the old one is not given up."""
        before, self._file = self._file, _opened(self.path, 0)
        os.close(before)


def result_json(result: Result) -> bytes:
    """One result, as every sink that speaks JSON writes it."""
    return _encoder.encode(_line_of(result))


def event_json(event: Event) -> bytes:
    """One event, the same."""
    return _encoder.encode(event)


def _opened(path: str, how: int) -> int:
    # Appending, so that one who empties the file (logrotate's copytruncate) leaves no hole in it.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | how, 0o666)


def _turn_over(path: str) -> None:
    """Rename each one further; the oldest is overwritten."""
    pieces = [Path(path), *(Path(f"{path}.{nth}") for nth in range(1, PIECES))]
    for older, newer in zip(reversed(pieces[1:]), reversed(pieces[:-1]), strict=True):
        if newer.exists():
            newer.replace(older)


def _is_named(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))  # noqa: PTH116 - beside fstat
    except FileNotFoundError:
        return False


def _line_of(result: Result) -> _Line:
    frame = result.frame
    return _Line(
        camera=result.camera,
        index=None if frame is None else frame.index,
        captured_ns=None if frame is None else frame.captured_ns,
        age_ms=None if result.age_ms is None else round(result.age_ms, 3),
        state=result.state.value,
        dropped=result.dropped,
        missed=result.missed,
        stages_ms={name: round(ns / 1e6, 3) for name, ns in result.stages_ns.items()},
        detections=_found(result.detections),
    )


def _found(detections: Detections) -> list[_Found]:
    """Rounded to what means something: hundredths of a pixel, ten-thousandths of a score."""
    # float64 first: a rounded float32 has the digits of its neighbours when it is printed.
    boxes = np.round(detections.boxes.astype(np.float64), 2).tolist()
    scores = np.round(detections.scores.astype(np.float64), 4).tolist()
    return [
        _Found(box, score, found.name, found.track)
        for box, score, found in zip(boxes, scores, detections, strict=True)
    ]
