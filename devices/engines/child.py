"""The process that builds: `python -m stopline.devices.engines.child FD`.

Its request is one line of JSON on stdin, which stays open as long as the parent lives. What it
has to say are lines of JSON to the file descriptor FD.
"""

import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings, Plan, build_plan
from stopline.devices.engines.trial import try_engine
from stopline.runtime.backends.backend import BackendError
from stopline.runtime.backends.engine_record import EngineLayer, Placement, Trial
from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_module
from stopline.runtime.bundle import open_bundle
from stopline.runtime.manifest import BundleError, Precision

STDIN = 0


class Build(msgspec.Struct, frozen=True, tag="build"):
    """Make `plan` of `model`; paths are absolute."""

    model: str
    plan: str
    timing_cache: str  # read if it is there, and written anew
    settings: BuildSettings


class Try(msgspec.Struct, frozen=True, tag="try"):
    """Run the engine of a bundle."""

    bundle: str
    precision: Precision


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """`share` of the whole."""

    share: float
    phase: str


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """`said` is all that TensorRT said."""

    why: str
    said: str


class Built(msgspec.Struct, frozen=True, tag="built"):
    """The plan is written."""

    flavour: str
    version: str
    seconds: float
    workspace_mib: int | None
    layers: tuple[EngineLayer, ...]
    placement: Placement | None


class Tried(msgspec.Struct, frozen=True, tag="tried"):
    """The engine ran."""

    trial: Trial


Request: TypeAlias = Build | Try
Message: TypeAlias = Progress | Failure | Built | Tried


def main() -> None:
    """Answer one request."""
    with os.fdopen(int(sys.argv[1]), "wb", buffering=0) as pipe:
        request = msgspec.json.decode(_first_line(STDIN), type=Request)
        threading.Thread(target=_die_with_parent, daemon=True).start()
        try:
            answer: Message = _build(request, pipe) if isinstance(request, Build) else _try(request)
        except EngineError as error:
            answer = Failure(str(error), error.said)
        except (BackendError, BundleError, OSError) as error:
            answer = Failure(_reason(error), "")
        _tell(pipe, answer)


def _build(request: Build, pipe: BinaryIO) -> Built:
    told = -1.0

    def on_progress(share: float, phase: str) -> None:
        nonlocal told
        if share >= told + 0.01:
            told = share
            _tell(pipe, Progress(share, phase))

    cache = Path(request.timing_cache)
    known = cache.read_bytes() if cache.is_file() else None
    plan = build_plan(Path(request.model).read_bytes(), request.settings, known, on_progress)
    _write(Path(request.plan), plan.content)
    if plan.timing_cache is not None:
        _write(cache, plan.timing_cache)
    return _built(plan)


def _built(plan: Plan) -> Built:
    library = library_of(tensorrt_module())
    return Built(*library, plan.seconds, plan.workspace_mib, plan.layers, plan.placement)


def _try(request: Try) -> Tried:
    return Tried(try_engine(open_bundle(request.bundle), request.precision))


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _tell(pipe: BinaryIO, message: Message) -> None:
    pipe.write(msgspec.json.encode(message) + b"\n")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _first_line(descriptor: int) -> bytes:
    """Not through `sys.stdin`: its lock, held by the thread that waits, would abort our exit."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line


def _die_with_parent() -> None:
    """A parent that was killed cannot end us, but its end of our stdin closes."""
    os.read(STDIN, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
