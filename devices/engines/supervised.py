"""A child process that may hang, crash or be killed; its parent says what became of it."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from stopline.devices.engines.network import EngineError

CHILD = (sys.executable, "-m", "stopline.devices.engines.child")
LAST_WORDS = 400  # characters of what a dying child printed


@dataclass(frozen=True)
class Limits:
    """`free_mib` is what was free before the start, to be told if the child is killed."""

    timeout_s: float | None = None
    free_mib: Callable[[], int | None] = field(default=lambda: None)


def answers(
    request: bytes, limits: Limits | None = None, command: Sequence[str] = CHILD
) -> Iterator[bytes]:
    """The lines that the child writes to the descriptor it is given as its last argument.

    Raises EngineError if it dies, runs too long or has nothing to say. Whoever leaves the loop,
    by an exception or Ctrl-C, ends the child and all that it started.
    """
    limits = limits or Limits()
    free_mib = limits.free_mib()
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as printed, os.fdopen(reading, "rb", buffering=0) as pipe:
        try:
            child = subprocess.Popen(
                [*command, str(writing)],
                bufsize=0,  # nothing left to be flushed to a child that has died
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=printed,
                pass_fds=(writing,),
                start_new_session=True,  # Ctrl-C is for us; we end the child
            )
        finally:
            os.close(writing)
        try:
            assert child.stdin is not None
            child.stdin.write(request + b"\n")
            yield from _lines(pipe, limits)
            status = child.wait()
        except BrokenPipeError:
            status = child.wait()
        finally:
            _end(child)
        if status != 0:
            raise EngineError(_epitaph(status, free_mib, printed))


def _lines(pipe: IO[bytes], limits: Limits) -> Iterator[bytes]:
    deadline = None if limits.timeout_s is None else time.monotonic() + limits.timeout_s
    rest = b""
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and (left <= 0 or not ready.select(left)):
                raise EngineError(
                    f"not built within {limits.timeout_s:g} s: give it longer with --timeout, "
                    "or look less far with --optimisation 1"
                )
            chunk = pipe.read(1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _epitaph(status: int, free_mib: int | None, printed: IO[bytes]) -> str:
    printed.seek(0)
    words = " ".join(printed.read().decode(errors="replace").split())[-LAST_WORDS:]
    last = f"; its last words: {words}" if words else ""
    if status >= 0:
        return f"the build ended with exit code {status}{last}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    if -status == signal.SIGKILL:
        free = "" if free_mib is None else f" ({free_mib} MiB were free when it started)"
        return (
            f"the build ended with signal {-status} ({name}): probably out of memory{free}; "
            "end other programs, or allow less with --workspace"
        )
    return f"the build ended with signal {-status} ({name}): TensorRT crashed{last}"
