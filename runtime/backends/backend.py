"""What runs a graph. Every backend takes and gives the same tensors, so nothing else differs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Frames
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Input, Precision


class BackendError(ValueError):
    """A backend that is not here, or a graph that it cannot run; says what to install or do."""


class NotHere(BackendError):
    """What this machine simply has not got: a library that is not installed, a GPU."""


class Outputs(NamedTuple):
    """What the graph gives for n frames, best first; valid until the next run."""

    boxes: NDArray[np.float32]  # (n, k, 4) xyxy, input pixels
    scores: NDArray[np.float32]  # (n, k)
    classes: NDArray[np.integer[Any]]  # (n, k)


class Backend(Protocol):
    """A graph ready to run. `frames` is its own input memory: write there, then `run`."""

    name: str
    frames: Frames  # (batch, h, w, 3), allocated once

    def run(self, count: int) -> Outputs:
        """Run the first `count` of `frames`."""

    def close(self) -> None:
        """Give back the memory of the graph."""


class Graph(NamedTuple):
    """One precision of a bundle, to be run."""

    bundle: Bundle
    precision: Precision

    @property
    def file(self) -> Path:
        """The ONNX file."""
        return self.bundle.variant_path(self.precision)

    @property
    def shape(self) -> Input:
        """Of its frames."""
        return self.bundle.manifest.input


class Opened(NamedTuple):
    """A backend that runs, and why the better ones do not."""

    backend: Backend
    precision: Precision
    passed_over: tuple[str, ...]  # of those that this machine has got: "cuda: cannot run …"


Opener = Callable[[Graph, int], Backend]
FileOpener = Callable[[Path, Input, int], Backend]


def _openers() -> dict[str, Opener]:
    """By name, the best first. A backend's library is imported when it opens, not before."""
    from stopline.runtime.backends.onnxruntime_backend import open_cpu, open_exact
    from stopline.runtime.backends.onnxruntime_gpu import open_cuda, open_tensorrt_provider
    from stopline.runtime.backends.openvino_backend import open_openvino
    from stopline.runtime.backends.tensorrt_backend import open_tensorrt

    return {
        "tensorrt": open_tensorrt,
        "cuda": open_cuda,
        "openvino": _of_file(open_openvino),
        "onnxruntime": _of_file(open_cpu),
        "onnxruntime-tensorrt": open_tensorrt_provider,
        "exact": _of_file(open_exact),
    }


# It builds its own engines for minutes when it opens; it computes as no board does.
BY_NAME_ONLY = ("onnxruntime-tensorrt", "exact")


def _of_file(opener: FileOpener) -> Opener:
    return lambda graph, threads: opener(graph.file, graph.shape, threads)


def backend_names() -> tuple[str, ...]:
    """What `--backend` takes, the best first; those that are never chosen by themselves last."""
    return tuple(_openers())


def open_backend(
    bundle: Bundle,
    precision_for: Callable[[str], Precision],
    name: str | None = None,
    threads: int | None = None,
) -> Opened:
    """Open a bundle on the named backend, or on the best one that this machine can run.

    `precision_for` says which variant a backend shall run, or raises BackendError for none.
    Raises BackendError with every reason if no backend can run.
    """
    openers = _openers()
    if name is not None and name not in openers:
        raise BackendError(f"no backend {name!r}: wanted one of {', '.join(openers)}")
    by_itself = [one for one in openers if one not in BY_NAME_ONLY]
    failed: list[str] = []
    absent: list[str] = []
    for candidate in [name] if name else by_itself:
        try:
            graph = Graph(bundle, precision_for(candidate))
            backend = openers[candidate](graph, threads or usable_cpus())
            return Opened(backend, graph.precision, tuple(failed))
        except NotHere as error:  # noqa: PERF203 - a few tries, not a hot loop
            absent.append(f"{candidate}: {error}")
        except BackendError as error:
            failed.append(f"{candidate}: {error}")
    raise BackendError(f"cannot run {bundle.path}. " + "; ".join([*failed, *absent]))


def usable_cpus() -> int:
    """The cores that this process may use, which on a pinned process is not what the host has."""
    return len(os.sched_getaffinity(0))


def check_tensors(
    model: Path | str, shape: Input, inputs: dict[str, tuple[str, list[Any]]], outputs: set[str]
) -> None:
    """Refuse a graph that is not in the contract. `inputs`: name → (type, shape)."""
    wanted = [shape.height, shape.width, 3]
    kind, dims = inputs.get("frames", ("nothing", []))
    if list(inputs) != ["frames"] or kind != "uint8" or list(dims[1:]) != wanted:
        raise BackendError(f"{model} takes {inputs}, wanted `frames` uint8 (n, {wanted})")
    if missing := {"boxes", "scores", "classes"} - outputs:
        raise BackendError(f"{model} does not give {', '.join(sorted(missing))}")
