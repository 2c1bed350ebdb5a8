"""What a trial on this machine came to, kept so that only the first start pays for it."""

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from stopline.runtime.backends.trial import Trial

MAX_BYTES = 1 << 16


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a trial depends on: with any of it changed, it is another trial."""

    int8: str  # sha256 of the file
    fp32: str
    backend: str  # name and version
    cpu: str
    threads: int


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    conditions: Conditions
    trial: Trial


def default_folder() -> Path | None:
    """Where a user's caches are; None for a user without a home, such as some daemons."""
    if said := os.environ.get("XDG_CACHE_HOME"):
        return Path(said) / "stopline" / "trials"
    try:
        return Path.home() / ".cache" / "stopline" / "trials"
    except RuntimeError:
        return None


def recall(folder: Path | None, conditions: Conditions) -> Trial | None:
    """None if there is none, or a file that is torn or tells of other conditions."""
    if folder is None:
        return None
    try:
        with _file(folder, conditions).open("rb") as opened:
            entry = msgspec.json.decode(opened.read(MAX_BYTES), type=_Entry)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return entry.trial if entry.conditions == conditions else None


def remember(folder: Path | None, conditions: Conditions, trial: Trial) -> None:
    """A folder that cannot be written costs a second at the next start, and no more."""
    if folder is None:
        return
    encoded = msgspec.json.encode(_Entry(conditions, trial))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".trial-", delete=False) as staged:
            try:
                staged.write(encoded)
                staged.close()
                Path(staged.name).replace(_file(folder, conditions))
            except OSError:
                Path(staged.name).unlink()
                raise
    except OSError:
        return


def _file(folder: Path, conditions: Conditions) -> Path:
    return folder / f"{hashlib.sha256(msgspec.json.encode(conditions)).hexdigest()}.json"
