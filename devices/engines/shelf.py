"""Where a bundle keeps its engines: a plan and its record appear together, or not at all."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stopline.devices.engines.network import EngineError
from stopline.runtime.atomic import sync_folder
from stopline.runtime.backends.engine_record import EngineRecord
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import ENGINES

LOCK = ".lock"
STAGING = ".building-"


@contextmanager
def engine_shelf(bundle: Bundle, on_wait: Callable[[str], None]) -> Iterator["Shelf"]:
    """The only one who builds for this bundle; a second waits, once it has said so.

    Raises EngineError if the bundle cannot be written to.
    """
    folder = bundle.path / ENGINES
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise EngineError(
            f"cannot write engines to {folder}: {error.strerror}; copy the bundle to a folder "
            f"of yours (`cp -r {bundle.path} .`) and build there"
        ) from error
    try:
        _wait_for(lock, folder, on_wait)
        _sweep(folder)
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=folder) as staging:
            yield Shelf(folder, Path(staging))
    finally:
        os.close(lock)


class Shelf:
    """`staging` lies on the same disk, so that a rename moves from it."""

    def __init__(self, folder: Path, staging: Path) -> None:
        self.folder = folder
        self.staging = staging

    def timing_cache(self, stem: str) -> Path:
        """Shared by all precisions of one GPU and version; deleting it costs only time."""
        return self.folder / f"{stem.rpartition('-')[0]}.timing-cache"

    def place(self, stem: str, plan: Path, record: EngineRecord) -> Path:
        """Move the plan in, then its record: without one, no plan is ever run."""
        sidecar = self.folder / f"{stem}.json"
        sidecar.unlink(missing_ok=True)
        plan.replace(self.folder / f"{stem}.plan")
        self.describe(stem, record)
        return sidecar

    def withdraw(self, stem: str) -> None:
        """Take an engine out, its record first."""
        for suffix in (".json", ".plan"):
            (self.folder / f"{stem}{suffix}").unlink(missing_ok=True)

    def describe(self, stem: str, record: EngineRecord) -> None:
        """Replace the record of a plan that is in place."""
        staged = self.staging / f"{stem}.json"
        with staged.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self.folder / f"{stem}.json")
        sync_folder(self.folder)


def described(plan: Path) -> tuple[str, int]:
    """The sha256 and the size of what is on the disk now."""
    digest = hashlib.sha256()
    with plan.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest(), plan.stat().st_size


def _wait_for(lock: int, folder: Path, on_wait: Callable[[str], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait(f"another build is at work in {folder}: waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _sweep(folder: Path) -> None:
    """What builds left that were killed; nobody else builds here now."""
    for left in folder.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
