"""How far a build is. TensorRT tells of phases within phases, none of which knows its time."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

# A share of the whole that only grows, and the name of the phase it is in.
OnProgress: TypeAlias = Callable[[float, str], None]


@dataclass(slots=True)
class _Phase:
    name: str
    steps: int
    done: int = 0


class Phases:
    """A stack of phases, each a step of the one before it."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._stack: list[_Phase] = []
        self._told = 0.0

    def start(self, name: str, steps: int) -> None:
        self._stack.append(_Phase(name, max(steps, 1)))
        self._tell()

    def step(self, name: str, step: int) -> None:
        """`step` counts from 0 and is done."""
        for phase in self._stack:
            if phase.name == name:
                phase.done = min(step + 1, phase.steps)
        self._tell()

    def finish(self, name: str) -> None:
        while self._stack and any(phase.name == name for phase in self._stack):
            self._stack.pop()
        self._tell()

    def _tell(self) -> None:
        if not self._stack:
            return
        share, width = 0.0, 1.0
        for phase in self._stack:
            share += width * phase.done / phase.steps
            width /= phase.steps
        self._told = max(self._told, min(share, 1.0))
        self._on_progress(self._told, self._stack[0].name)


def monitor(trt: ModuleType, on_progress: OnProgress) -> Any:
    """What TensorRT calls while it builds."""
    phases = Phases(on_progress)

    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined,misc]  # as imported
        """Called from any of TensorRT's threads."""

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            phases.start(name, steps)

        def step_complete(self, name: str, step: int) -> bool:
            phases.step(name, step)
            return True  # go on: whoever wants to stop kills the process

        def phase_finish(self, name: str) -> None:
            phases.finish(name)

    return Monitor()
