"""What was seen, as an annotated video: whole under its name, and playable before it is whole."""

import shutil
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.events import Event
from stopline.runtime.frame import Result
from stopline.runtime.letterbox import letterbox
from stopline.runtime.sinks.draw import SLATE, drawn
from stopline.runtime.sinks.video_writer import SUFFIX, VideoWriter, even_hw

RESERVE_BYTES = 16 << 20  # left free on the disk, so that the video can still be finished
CHECK_EVERY = 15  # frames; 720p takes about 2 MB for them
UNKNOWN_FPS = 15.0  # for cameras that do not state a rate
LONGEST_GAP_S = 10.0  # more of a silence than that is not filled with slates

RateOf = Callable[[str], tuple[bool, float | None]]  # camera → live, frames a second


class Recorder(Closing):
    """Records one video for each of `cameras`, at `path`, or `path` with a number if several."""

    name = "record"
    wants_images = True

    def __init__(self, path: Path, cameras: list[str], rate_of: RateOf) -> None:
        """Raise OSError or ValueError for a place where no MP4 can be written."""
        if path.suffix.lower() != SUFFIX:
            raise ValueError(f"cannot record {str(path)!r}: wanted a name that ends in {SUFFIX}")
        if not path.parent.is_dir():
            raise OSError(f"cannot record {str(path)!r}: `mkdir -p {path.parent}` first")
        check_space(path)
        numbered = {
            name: path if len(cameras) == 1 else path.with_name(f"{path.stem}-{nth}{path.suffix}")
            for nth, name in enumerate(cameras, 1)
        }
        self.finished: list[Path] = []  # filled when closed
        self._paths = numbered
        self._rate_of = rate_of
        self._open: dict[str, Recording] = {}

    def write(self, result: Result) -> None:
        """Draw and write; raises OSError, for one if the disk is full."""
        recording = self._open.get(result.camera)
        if recording is None:
            if result.frame is None:
                return  # a video begins with what was seen
            live, fps = self._rate_of(result.camera)
            recording = Recording(self._paths[result.camera], fps or UNKNOWN_FPS, live)
            self._open[result.camera] = recording
        recording.write(result)

    def tell(self, event: Event) -> None:
        """A video shows results."""

    def close(self) -> None:
        """Finish every video; raises OSError for the first that could not be, after trying all."""
        errors = []
        for recording in sorted(self._open.values(), key=lambda recording: recording.path):
            try:
                recording.close()
                self.finished.append(recording.path)
            except OSError as error:  # noqa: PERF203 - once for each camera
                errors.append(error)
        if errors:
            raise errors[0]


class Recording(Closing):
    """The video of one camera: `x.partial.mp4`, which plays at every moment, until it is closed.

    Then it is `x.mp4`. A partial one that is already there was left by a process that was
    killed: it is kept as `x.cut-1.mp4`, the next as `x.cut-2.mp4`.

    A file's frames are written one by one. A live camera's are laid out in time, so that the
    video lasts as long as what it shows: the image before a gap fills it.
    """

    def __init__(
        self, path: Path, fps: float, live: bool, clock: Clock = time.monotonic_ns
    ) -> None:
        self.path = path
        self._partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        self._fps = fps
        self._live = live
        self._clock = clock
        self._writer: VideoWriter | None = None
        self._canvas: Image = np.empty((0, 0, 3), np.uint8)
        self._began_ns = 0
        self._written = 0

    def write(self, result: Result) -> None:
        """Draw and write; raises OSError if the disk is full or will be soon."""
        if result.frame is None and (self._writer is None or not self._live):
            return
        if self._writer is None and result.frame is not None:
            self._begin(result.frame.image)
        now_ns = self._clock() if result.frame is None else result.frame.captured_ns
        if self._live and not self._caught_up(now_ns):
            return
        height, width = self._canvas.shape[:2]
        self._lay(drawn(result, (width, height)))
        try:
            self._append()
        except OSError:
            # What fills the gap: not what was seen before it.
            self._canvas = np.full_like(self._canvas, SLATE)
            raise

    def close(self) -> None:
        """Finish the video; raises OSError, and leaves the partial one, if the disk is full."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
        self._partial.replace(self.path)

    def _begin(self, first: Image) -> None:
        height, width = even_hw(first)
        if self._partial.exists():
            self._partial.rename(_cut_name(self.path))
        self._writer = VideoWriter(self._partial, self._fps, (width, height))
        self._canvas = np.empty((height, width, 3), np.uint8)

    def _caught_up(self, now_ns: int) -> bool:
        """Fill the time until now; False if the frame of this moment is already written."""
        if self._written == 0:
            self._began_ns = now_ns
        due = round((now_ns - self._began_ns) * self._fps / 1e9)
        missed = due - self._written
        most = round(LONGEST_GAP_S * self._fps)
        if missed > most:
            self._began_ns += round((missed - most) / self._fps * 1e9)
            missed = most
        for _ in range(missed):
            self._append()
        return missed >= 0

    def _lay(self, image: Image) -> None:
        """A camera may change its size; a video may not."""
        if image.shape == self._canvas.shape:
            self._canvas = image
        else:
            letterbox(image, self._canvas, "letterbox_center", SLATE[0])

    def _append(self) -> None:
        assert self._writer is not None
        if self._written % CHECK_EVERY == 0:
            check_space(self.path)
        self._writer.write(self._canvas)
        self._written += 1


def check_space(path: Path) -> None:
    """Raise OSError if the disk that `path` is on has no more than the reserve left."""
    free = shutil.disk_usage(path.parent).free
    if free < RESERVE_BYTES:
        raise OSError(
            f"no room to record {str(path)!r}: {free >> 20} MiB free, wanted "
            f"{RESERVE_BYTES >> 20}; delete something or record elsewhere"
        )


def _cut_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem}.cut-{nth}{path.suffix}") for nth in count(1))
    return next(name for name in names if not name.exists())
