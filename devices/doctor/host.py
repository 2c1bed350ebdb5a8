"""The machine that is examined: its files below a root, and what its commands say.

Both are arguments, so that a recorded machine can be examined on another.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

PYTHON = "python"  # in a command: the interpreter that runs us
PATIENCE_S = 5.0
NOT_ANSWERED = 124


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    error: str = ""

    @property
    def why(self) -> str:
        """One line for a command that failed: its last words, or how it ended."""
        words = (self.error or self.out).strip().splitlines()
        if self.code < 0:
            return f"it crashed with signal {-self.code} ({_signal_name(-self.code)})"
        return words[-1] if words else f"it ended with exit code {self.code}"


class Runner(Protocol):
    """Gives what a command said, or None where there is no such command."""

    def __call__(self, command: Sequence[str], patience_s: float = PATIENCE_S) -> Said | None:
        """Ask, and change nothing."""


@dataclass(frozen=True)
class Host:
    """A machine."""

    root: Path
    run: Runner

    def text(self, path: str) -> str | None:
        """What a file says, without the zero at the end that the device tree has; None if none."""
        try:
            return (self.root / path).read_text(errors="replace").strip("\0\n ") or None
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        """What is in a folder, in the order of their numbers; nothing if it is not there."""
        try:
            return sorted((one.name for one in (self.root / folder).iterdir()), key=_by_number)
        except OSError:
            return []

    def answer(self, *command: str) -> str | None:
        """What a command that succeeded said; None if it is not there or failed."""
        said = self.run(command)
        return said.out.strip() if said is not None and said.code == 0 else None


def this_host() -> Host:
    """The machine that we run on."""
    return Host(Path("/"), ask)


def ask(command: Sequence[str], patience_s: float = PATIENCE_S) -> Said | None:
    """Run a command here, in English."""
    program = sys.executable if command[0] == PYTHON else command[0]
    try:
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=patience_s,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Said(NOT_ANSWERED, "", f"no answer within {patience_s:g} s")
    except OSError:
        return None
    return Said(done.returncode, done.stdout, done.stderr)


def _by_number(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
