"""A file that is written whole or not at all."""

import os
from pathlib import Path


def write_whole(content: bytes, where: Path) -> None:
    """Replace `where` when all of `content` is on the disk; raises OSError and leaves it if not."""
    if where.exists() and not where.is_file():
        where.write_bytes(content)  # a pipe or /dev/stdout: not ours to replace
        return
    scratch = where.with_name(f".{where.name}.{os.getpid()}.part")
    try:
        scratch.write_bytes(content)
        scratch.replace(where)
    finally:
        scratch.unlink(missing_ok=True)


def refuse_unwritable(where: Path) -> None:
    """Raise OSError now for a place that cannot be written, not after minutes of work."""
    if where.is_dir():
        raise OSError(f"cannot write {where}: it is a folder, wanted the name of a file")
    if not where.parent.is_dir():
        raise OSError(f"cannot write {where}: no folder {where.parent}, mkdir it")
    if not os.access(where if where.exists() else where.parent, os.W_OK):
        raise OSError(f"cannot write {where}: permission denied, name another place")
