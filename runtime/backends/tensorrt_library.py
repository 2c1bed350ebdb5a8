"""TensorRT as this machine has it: the library, its version, its log, and names only some have.

TensorRT 10.3 to 11.4 and TensorRT for RTX share one Python API but for some names. Code may use
a name that all have as it is; for any other it must ask `by_name`. A test checks every one.
"""

import functools
import importlib
import importlib.util
from types import ModuleType
from typing import Any, NamedTuple

from stopline.runtime.backends.backend import BackendError, NotHere

FLAVOURS = {"tensorrt": "trt", "tensorrt_rtx": "trtrtx"}  # by module, as engine files are named


class Library(NamedTuple):
    """Engines run only in the flavour and version that built them."""

    flavour: str  # "tensorrt", or "tensorrt_rtx"
    version: str

    def __str__(self) -> str:
        return f"{self.flavour} {self.version}"


def tensorrt_module() -> ModuleType:
    """TensorRT, or else TensorRT for RTX; BackendError says what to install."""
    for name in FLAVOURS:
        if importlib.util.find_spec(name) is None:
            continue
        try:
            return importlib.import_module(name)
        except (ImportError, OSError) as error:  # a shared library of it that is not there
            raise BackendError(f"{name} cannot be imported: {error}") from error
    raise NotHere(
        "no TensorRT: JetPack brings it, else `pip install stopline[gpu]`; "
        "`pip install tensorrt-rtx-cu12` builds without a GPU"
    )


def library_of(trt: ModuleType) -> Library:
    """The flavour and version of an imported TensorRT."""
    return Library(trt.__name__, trt.__version__)


def by_name(owner: Any, name: str) -> Any | None:
    """A member that not every version has; None in those that lack it."""
    return getattr(owner, name, None)


class Told(NamedTuple):
    """What TensorRT said since `forget`, its last words last."""

    errors: list[str]
    details: list[str]  # only of those that describe the engine's layers

    def forget(self) -> None:
        self.errors.clear()
        self.details.clear()

    def first_error(self) -> str:
        """The cause: what follows it are its consequences, CUDA's own complaints among them."""
        return " ".join(self.errors[0].split()) if self.errors else "no reason given"


@functools.cache
def tensorrt_log(trt: ModuleType) -> Any:
    """A logger that prints nothing; its `told` keeps what matters.

    One for the process: TensorRT keeps the first that it is given for good.
    """

    class Log(trt.ILogger):  # type: ignore[name-defined,misc]  # known only once it is imported
        """Called by TensorRT from any of its threads."""

        def __init__(self) -> None:
            super().__init__()
            self.told = Told([], [])

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.told.errors.append(message)
            elif message.startswith(LAYER_REPORTS):
                self.told.details.append(message)

    return Log()


LAYER_REPORTS = ("Layers:", "Engine Layer Information:", "---------- Layers Running on")
