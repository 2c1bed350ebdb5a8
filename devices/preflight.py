"""Which backend can run a bundle on a board, and why another cannot, before anything is loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from stopline.devices.board import Board
from stopline.runtime.backends.backend import BackendError
from stopline.runtime.backends.engine import Here, check_engine
from stopline.runtime.backends.onnxruntime_backend import CPU
from stopline.runtime.backends.onnxruntime_gpu import CUDA, TENSORRT
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Precision

OLDEST_TENSORRT = (10, 3)  # JetPack 6; strongly typed networks with Q/DQ before it are untested
# Of RTX as NVIDIA's support matrices 1.0 to 1.5 say. TensorRT's moved up within 10.x: below 7.0 no
# version takes a GPU, from there to 7.5 a build may yet be refused in TensorRT's own words.
OLDEST_SM = {"tensorrt": 7.0, "tensorrt_rtx": 7.5}
LEAST_GPU_MIB = 512  # a rule of thumb for CUDA with one engine, not measured


@dataclass(frozen=True)
class Answer:
    """Of one backend at one precision."""

    backend: str
    precision: Precision
    able: bool
    why: str  # what it would run with, or what is missing and what to do about it


@dataclass(frozen=True)
class Preflight:
    """Of every backend at every precision of the bundle, the best first."""

    answers: tuple[Answer, ...]

    @property
    def able(self) -> bool:
        """Whether anything can run the bundle."""
        return any(answer.able for answer in self.answers)

    def answer(self, backend: str, precision: Precision) -> Answer:
        """Raises KeyError for one that is not in the bundle."""
        for answer in self.answers:
            if (answer.backend, answer.precision) == (backend, precision):
                return answer
        raise KeyError(f"{backend} {precision}")


def preflight(bundle: Bundle, board: Board) -> Preflight:
    """Decided from the manifest, the records of the engines and what is known of the board."""
    asked: dict[str, Callable[[Bundle, Precision, Board], tuple[bool, str]]] = {
        "tensorrt": _tensorrt,
        "cuda": _cuda,
        "openvino": _openvino,
        "onnxruntime": _onnxruntime,
        "onnxruntime-tensorrt": _tensorrt_provider,
    }
    return Preflight(
        tuple(
            Answer(name, precision, *ask(bundle, precision, board))
            for name, ask in asked.items()
            for precision in bundle.manifest.variants
        )
    )


def why_no_engine(board: Board, dla: int | None = None) -> str | None:
    """Why no engine can be built and run on a board; None if it can."""
    if board.tensorrt is None:
        return board.no_tensorrt or "no TensorRT"
    if board.gpu is None:
        return board.no_gpu or "no GPU"
    oldest = OLDEST_SM[board.tensorrt.flavour]
    if float(board.gpu.sm) < oldest:
        return f"{board.tensorrt} needs sm {oldest}, {board.gpu.name} has {board.gpu.sm}"
    if board.gpu.free_mib < LEAST_GPU_MIB:
        return (
            f"{board.gpu.free_mib} MiB of {board.gpu.memory_mib} are free on {board.gpu.name}, "
            f"wanted {LEAST_GPU_MIB}: end other programs"
        )
    if dla is not None and dla >= (board.dla_cores or 0):
        return f"no DLA core {dla}: {_count(board.dla_cores)} here"
    return _too_old(board)


def _too_old(board: Board) -> str | None:
    library = board.tensorrt
    if library is None or library.flavour != "tensorrt":
        return None
    numbers = tuple(int(part) for part in library.version.split(".")[:2])
    if numbers < OLDEST_TENSORRT:
        return f"{library}: wanted {'.'.join(map(str, OLDEST_TENSORRT))} or newer (JetPack 6)"
    return None


def _tensorrt(bundle: Bundle, precision: Precision, board: Board) -> tuple[bool, str]:
    if (missing := why_no_engine(board)) is not None:
        return False, missing
    assert board.gpu is not None and board.tensorrt is not None
    here = Here(board.gpu.name, board.gpu.sm, board.tensorrt)
    try:
        record = check_engine(bundle, precision, here)
    except BackendError as error:
        return False, str(error)
    if record.refused is not None:
        return False, f"its engine was refused when it was built: {record.refused}"
    trial = "never run" if record.trial is None else f"{record.trial.p50_ms:.2f} ms p50"
    return True, f"engine of {board.tensorrt}, {trial}"


def _cuda(bundle: Bundle, precision: Precision, board: Board) -> tuple[bool, str]:
    return _provider(board, CUDA)


def _tensorrt_provider(bundle: Bundle, precision: Precision, board: Board) -> tuple[bool, str]:
    able, why = _provider(board, TENSORRT)
    return able, f"{why}; never chosen by itself, it builds when it opens" if able else why


def _provider(board: Board, name: str) -> tuple[bool, str]:
    failure = board.providers.get(name, f"{name} was not tried")
    return (True, "a tiny graph ran") if failure is None else (False, failure)


def _openvino(bundle: Bundle, precision: Precision, board: Board) -> tuple[bool, str]:
    version = board.versions.get("openvino")
    if version is None:
        return False, "not installed: `pip install stopline[openvino]` brings it"
    return True, version


def _onnxruntime(bundle: Bundle, precision: Precision, board: Board) -> tuple[bool, str]:
    able, why = _provider(board, CPU)
    found = [
        board.versions[name]
        for name in ("onnxruntime", "onnxruntime-gpu")
        if name in board.versions
    ]
    return able, (", ".join(found) or why) if able else why


def _count(cores: int | None) -> str:
    return "the number of its cores is unknown" if cores is None else f"{cores} are"
