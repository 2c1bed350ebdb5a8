"""A zipped bundle becomes a folder, whatever the zip tries."""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from stopline.runtime.manifest import ENGINES, BundleError

MAX_FILES = 256
MAX_BYTES = 8 << 30
MAX_RATIO = 200  # weights hardly compress: a higher ratio is a bomb


def unpacked(archive: Path, cache: Path | None = None) -> Path:
    """The folder with the archive's files, unpacked once and found again by the sha256 of all.

    Raises BundleError for absolute paths, `..`, links, duplicates, engines, bombs and broken zips.
    """
    cache = cache or _cache_home()
    with archive.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    folder = cache / digest.hexdigest()
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=cache) as scratch:
        staged = Path(scratch) / "bundle"
        try:
            with zipfile.ZipFile(archive) as opened:
                _extract(opened, archive, staged)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise BundleError(f"{archive} is not a zip that can be read: {error}") from error
        try:
            staged.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process unpacked the same bytes first
                raise
    return folder


def _cache_home() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(home) / "stopline" / "bundles"


def _extract(opened: zipfile.ZipFile, archive: Path, into: Path) -> None:
    members = [member for member in opened.infolist() if not member.is_dir()]
    _check_members(members, archive)
    for member in members:
        target = into / member.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(member) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)  # zipfile stops at the size that was checked


def _check_members(members: list[zipfile.ZipInfo], archive: Path) -> None:
    if len(members) > MAX_FILES:
        raise BundleError(f"{archive} holds {len(members)} files: {MAX_FILES} at most")
    if len({member.filename for member in members}) != len(members):
        raise BundleError(f"{archive} holds two files of one name")
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise BundleError(f"{archive} would unpack to more than {MAX_BYTES >> 30} GiB")
    for member in members:
        _check_member(member, archive)


def _check_member(member: zipfile.ZipInfo, archive: Path) -> None:
    name = member.filename
    if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
        raise BundleError(f"{archive} holds {name!r}: wanted a plain path inside the bundle")
    if PurePosixPath(name).parts[:1] == (ENGINES,):
        raise BundleError(f"{archive} holds {name!r}: engines are built on the board")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BundleError(f"{archive} holds the link {name!r}: a bundle has none")
    if member.file_size > MAX_RATIO * max(member.compress_size, 1 << 10):
        raise BundleError(
            f"{archive}: {name!r} would grow from {member.compress_size} "
            f"to {member.file_size} bytes"
        )
