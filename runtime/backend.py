"""What runs a graph. Every backend takes and gives the same tensors, so nothing else differs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Frames
from stopline.runtime.manifest import Input


class BackendError(ValueError):
    """A backend that is not here, or a graph that it cannot run; says what to install or do."""


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


Opener = Callable[[Path, Input, int], Backend]


def _openers() -> dict[str, Opener]:
    """By name, the best first. A backend's library is imported when it opens, not before."""
    from stopline.runtime.onnxruntime_backend import open_cpu, open_cuda, open_exact
    from stopline.runtime.openvino_backend import open_openvino

    return {
        "cuda": open_cuda,
        "openvino": open_openvino,
        "onnxruntime": open_cpu,
        "exact": open_exact,
    }


def backend_names() -> tuple[str, ...]:
    """What `--backend` takes, the best first."""
    return tuple(_openers())


def open_backend(
    model: Path, shape: Input, name: str | None = None, threads: int | None = None
) -> Backend:
    """Open `model` on the named backend, or on the best one that this machine can run.

    Raises BackendError with every reason if none can.
    """
    openers = _openers()
    if name is not None and name not in openers:
        raise BackendError(f"no backend {name!r}: wanted one of {', '.join(openers)}")
    reasons = []
    for candidate in [name] if name else openers:
        try:
            return openers[candidate](model, shape, threads or usable_cpus())
        except BackendError as error:  # noqa: PERF203 - three tries, not a hot loop
            reasons.append(f"{candidate}: {error}")
    raise BackendError(f"cannot run {model}. " + "; ".join(reasons))


def usable_cpus() -> int:
    """The cores that this process may use, which on a pinned process is not what the host has."""
    return len(os.sched_getaffinity(0))


def check_tensors(
    model: Path, shape: Input, inputs: dict[str, tuple[str, list[Any]]], outputs: set[str]
) -> None:
    """Refuse a graph that is not in the contract. `inputs`: name → (type, shape)."""
    wanted = [shape.height, shape.width, 3]
    kind, dims = inputs.get("frames", ("nothing", []))
    if list(inputs) != ["frames"] or kind != "uint8" or list(dims[1:]) != wanted:
        raise BackendError(f"{model} takes {inputs}, wanted `frames` uint8 (n, {wanted})")
    if missing := {"boxes", "scores", "classes"} - outputs:
        raise BackendError(f"{model} does not give {', '.join(sorted(missing))}")
