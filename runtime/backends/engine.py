"""The engines of a bundle, built on this board; one made for anything else is never run."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

from stopline.runtime.backends.backend import BackendError
from stopline.runtime.backends.cuda import first_gpu
from stopline.runtime.backends.engine_record import EngineRecord, Rung, read_record
from stopline.runtime.backends.tensorrt_library import (
    FLAVOURS,
    Library,
    library_of,
    tensorrt_module,
)
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import ENGINES, Precision

AGAIN = "build it again with `stopline build`"


class Here(NamedTuple):
    """What an engine must have been built for."""

    gpu: str
    sm: str
    library: Library

    def __str__(self) -> str:
        return f"{self.gpu} (sm {self.sm}) with {self.library}"


class Engine(NamedTuple):
    """A plan that may run here, read and checked to the last byte."""

    plan: bytes
    record: EngineRecord
    path: Path


def this_place() -> Here:
    """Raises BackendError where there is no TensorRT or no GPU."""
    gpu = first_gpu()  # first: TensorRT takes long to import
    return Here(gpu.name, gpu.sm, library_of(tensorrt_module()))


def engine_stem(gpu: str | None, sm: str | None, library: Library, precision: Precision) -> str:
    """`orin-sm87-trt10.3.0-int8`; the record decides what an engine is for, not its name."""
    card = "nogpu" if gpu is None else re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-") or "gpu"
    capability = "smnone" if sm is None else f"sm{sm.replace('.', '')}"
    return f"{card}-{capability}-{FLAVOURS[library.flavour]}{library.version}-{precision}"


def find_engine(bundle: Bundle, precision: Precision, here: Here) -> Engine:
    """The engine of one precision for this very place; raises BackendError with what is wrong."""
    path, record = _matching(bundle, precision, here)
    return Engine(_plan(path.with_suffix(".plan"), record), record, path)


def check_engine(bundle: Bundle, precision: Precision, here: Here) -> EngineRecord:
    """As `find_engine`, without reading the plan."""
    path, record = _matching(bundle, precision, here)
    _check_size(path.with_suffix(".plan"), record)
    return record


def _matching(bundle: Bundle, precision: Precision, here: Here) -> tuple[Path, EngineRecord]:
    wrong = []
    for path, record in _records(bundle, precision):
        reason = record if isinstance(record, str) else _mismatch(record, bundle, here)
        if reason is None:
            assert not isinstance(record, str)
            return path, record
        wrong.append(reason)
    build = f"`stopline build {bundle.path}` makes one"
    if not wrong:
        raise BackendError(f"no {precision} engine in {bundle.path / ENGINES}: {build}")
    raise BackendError(f"no {precision} engine for {here}: {'; '.join(wrong)}. {build}")


def has_engines(bundle: Bundle) -> bool:
    """Whether any was built, for whatever board."""
    return any((bundle.path / ENGINES).glob("*.json"))


def best_rung(bundle: Bundle, here: Here | None = None) -> tuple[Precision, str] | None:
    """The precision that the ladder chose on this board, and how; None if it has not run here."""
    try:
        here = here or this_place()
    except BackendError:
        return None
    rungs = get_args(Rung)
    usable = [
        record
        for precision in bundle.manifest.variants
        for _, record in _records(bundle, precision)
        if not isinstance(record, str)
        and _mismatch(record, bundle, here) is None
        and record.trial is not None
        and record.refused is None
    ]
    if not usable:
        return None
    best = min(usable, key=lambda record: rungs.index(record.rung))
    left = "".join(f"; {one.rung} was not taken: {one.why}" for one in best.above)
    return best.precision, f"the ladder chose {best.rung} on this board{left}"


def _records(bundle: Bundle, precision: Precision) -> Iterator[tuple[Path, EngineRecord | str]]:
    """The records of one precision; a reason in place of one that cannot be read."""
    for path in sorted((bundle.path / ENGINES).glob(f"*-{precision}.json")):
        try:
            record = read_record(path)
        except (ValueError, OSError) as error:
            yield path, str(error)
            continue
        if record.precision == precision:
            yield path, record


def _mismatch(record: EngineRecord, bundle: Bundle, here: Here) -> str | None:
    """Why an engine may not run here; None if it may."""
    library = Library(record.flavour, record.version)
    variant = bundle.manifest.variants[record.precision]
    if record.gpu is None:
        return "one was built where there is no GPU, only to see that it builds"
    if (record.gpu, record.sm) != (here.gpu, here.sm):
        return f"one was built for {record.gpu} (sm {record.sm})"
    if library != here.library:
        return f"one was built with {library}"
    if record.onnx_sha256 != bundle.manifest.files[variant.file].sha256:
        return f"one was built from another {variant.file}"
    if record.built.largest_batch < bundle.manifest.input.batch:
        return f"one takes {record.built.largest_batch} frames at most"
    return None


def _plan(path: Path, record: EngineRecord) -> bytes:
    """Checked before TensorRT sees it: what is cut short may crash the process there."""
    _check_size(path, record)
    plan = path.read_bytes()
    if hashlib.sha256(plan).hexdigest() != record.plan_sha256:
        raise BackendError(f"{path} is not what its record says (sha256): {AGAIN}")
    return plan


def _check_size(path: Path, record: EngineRecord) -> None:
    if not path.is_file():
        raise BackendError(f"{path} is missing, its record is there: {AGAIN}")
    size = path.stat().st_size
    if size != record.plan_bytes:
        raise BackendError(f"{path} has {size} bytes, its record says {record.plan_bytes}: {AGAIN}")
