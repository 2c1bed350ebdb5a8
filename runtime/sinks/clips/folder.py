"""The folder of clips: what in it is ours, and how much of that may stay."""

import re
import time
from pathlib import Path

import msgspec

from stopline.runtime.events import Alert
from stopline.runtime.sinks.webm import SUFFIX, finish_killed, is_finished

# As alerts are named: a moment, the rule, six digits at random.
ID = re.compile(r"\d{8}T\d{9}Z-[a-z0-9-]{1,40}-[0-9a-f]{6}")
RECORD = ".json"
MAX_RECORD_BYTES = 1 << 16
OLD_S = 60.0


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`<id>.json`: an alert, and the clip in which it is seen, where other alerts may be too."""

    clip: str | None
    began: Alert
    ended: Alert | None = None  # None too after a crash


class ClipFolder:
    """Keeps clips within `most_bytes`, by removing the oldest, and never anybody else's file."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Make the folder, and finish or remove what a killed run left; raises OSError."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.recovered = self.removed = 0  # of what a killed run left
        self.written = self.deleted = 0  # clips since
        self.bytes = 0  # of all that is ours
        self._most_bytes = most_bytes
        # By the id of a clip, its file and the records of its alerts, with their sizes.
        self._kept: dict[str, dict[Path, int]] = {}
        self._mend()
        self._list()
        self.fits()

    def holds(self, path: Path, clip: str) -> None:
        """Say that a file of that clip is there, or has grown; raises OSError."""
        files = self._kept.setdefault(clip, {})
        size = path.stat().st_size
        self.bytes += size - files.get(path, 0)
        files[path] = size

    def fits(self, making: str | None = None) -> bool:
        """Remove the oldest clips until the rest fits; False if only what is being made is left."""
        while (too_much := self.bytes > self._most_bytes) and self._kept.keys() - {making}:
            self._delete(min(self._kept.keys() - {making}))  # an id begins with the time
        return not too_much

    def _delete(self, clip: str) -> None:
        for path, size in self._kept.pop(clip).items():
            path.unlink(missing_ok=True)
            self.bytes -= size
        self.deleted += 1

    def _mend(self) -> None:
        for path in sorted(self.path.glob(f"*{SUFFIX}")):
            if not _is_named_as_ours(path) or is_finished(path) is not False:
                continue
            self._mend_video(path)
        for path in self.path.glob(f".*{RECORD}.*.new"):  # a record that was being written
            if ID.fullmatch(path.name[1:].partition(".")[0]) and _is_old(path):
                path.unlink(missing_ok=True)
                self.removed += 1

    def _mend_video(self, path: Path) -> None:
        try:
            playable = finish_killed(path)
        except BlockingIOError:
            return  # another process is making it
        if playable:
            self.recovered += 1
        else:
            path.unlink()
            self.removed += 1

    def _list(self) -> None:
        for path in self.path.glob(f"*{SUFFIX}"):
            if _is_named_as_ours(path) and is_finished(path) is not None:
                self.holds(path, path.stem)
        for path in self.path.glob(f"*{RECORD}"):
            if _is_named_as_ours(path) and (record := read_record(path)) is not None:
                self.holds(path, Path(record.clip or path.name).stem)


def clip_of(folder: Path, alert: str) -> Path | None:
    """The video in which that alert is seen; None if there is none, or it is no alert's id."""
    if ID.fullmatch(alert) is None:
        return None
    record = read_record(folder / f"{alert}{RECORD}")
    clip = Path(f"{alert}{SUFFIX}" if record is None or record.clip is None else record.clip)
    path = folder / clip.name
    return path if ID.fullmatch(clip.stem) and _is_file(path) else None


def read_record(path: Path) -> AlertRecord | None:
    """None if it is no record, or not there."""
    try:
        with path.open("rb") as opened:
            return msgspec.json.decode(opened.read(MAX_RECORD_BYTES), type=AlertRecord)
    except (OSError, msgspec.DecodeError):
        return None


def _is_named_as_ours(path: Path) -> bool:
    return ID.fullmatch(path.stem) is not None and _is_file(path)


def _is_old(path: Path) -> bool:
    """So old that nobody is writing it."""
    return time.time() - path.stat().st_mtime > OLD_S


def _is_file(path: Path) -> bool:
    """Not through a link, which could lead anywhere."""
    return path.is_file() and not path.is_symlink()
