"""Results as JSON, one object a line, each line whole whatever happens to the disk."""

import os
import stat
import sys

import msgspec
import numpy as np

from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.frame import Result

STDOUT = "-"


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
    stages_ms: dict[str, float]
    detections: list[_Found]


class JsonLines(Closing):
    """Writes `run --json`. A line of a camera that is not LIVE has no index and no detections."""

    def __init__(self, path: str) -> None:
        """Open `path`, `-` for standard output; raises OSError."""
        self.path = path
        self._encoder = msgspec.json.Encoder()
        self._file = sys.stdout.fileno() if path == STDOUT else _created(path)
        self._regular = stat.S_ISREG(os.fstat(self._file).st_mode)

    def write(self, result: Result) -> None:
        """Write one line, all of it or nothing; raises OSError, for one if the disk is full."""
        line = self._encoder.encode(_line_of(result)) + b"\n"
        written = 0
        try:
            # Past Python's buffers: what has happened is on record before the next frame.
            while written < len(line):
                written += os.write(self._file, line[written:])
        except BrokenPipeError:
            raise
        except OSError as error:
            if self._regular and written:
                whole = os.lseek(self._file, -written, os.SEEK_CUR)
                os.ftruncate(self._file, whole)
            raise OSError(f"cannot write {self.path!r}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.path != STDOUT:
            os.close(self._file)


def _created(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)


def _line_of(result: Result) -> _Line:
    frame = result.frame
    return _Line(
        camera=result.camera,
        index=None if frame is None else frame.index,
        captured_ns=None if frame is None else frame.captured_ns,
        age_ms=None if result.age_ms is None else round(result.age_ms, 3),
        state=result.state.value,
        dropped=result.dropped,
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
