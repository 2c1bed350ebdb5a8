"""What the ladder has done by child processes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from stopline.devices.engines.child import (
    Build,
    Built,
    Failure,
    Message,
    Progress,
    Tried,
    Try,
)
from stopline.devices.engines.memory import available_mib
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.supervised import Limits, answers
from stopline.runtime.backends.engine_record import Trial
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Precision

Answer = TypeVar("Answer", Built, Tried)


@dataclass(frozen=True)
class Work:
    """Who is told how it goes, and how long it may take."""

    on_progress: Callable[[float, str], None] = lambda share, phase: None
    on_wait: Callable[[str], None] = lambda line: None
    timeout_s: float | None = None


def built_in_child(
    model: bytes, plan: Path, timing_cache: Path, settings: BuildSettings, work: Work
) -> Built:
    """Write `plan`; raises EngineError, with nothing there, whatever became of the child."""
    graph = plan.with_suffix(".onnx")
    try:
        graph.write_bytes(model)
        request = Build(str(graph), str(plan), str(timing_cache), settings)
        return _answer(request, Built, work)
    except OSError as error:
        raise EngineError(f"{error.filename or plan}: {error.strerror}") from error
    finally:
        graph.unlink(missing_ok=True)


def tried_in_child(bundle: Bundle, precision: Precision, work: Work) -> Trial:
    """Run the engine that is in place; raises EngineError if it fails."""
    return _answer(Try(str(bundle.path), precision), Tried, work).trial


def _answer(request: Build | Try, wanted: type[Answer], work: Work) -> Answer:
    limits = Limits(work.timeout_s, available_mib)
    answer: Message | None = None
    for line in answers(msgspec.json.encode(request), limits):
        answer = msgspec.json.decode(line, type=Message)
        if isinstance(answer, Progress):
            work.on_progress(answer.share, answer.phase)
    if isinstance(answer, Failure):
        raise EngineError(answer.why, answer.said)
    if not isinstance(answer, wanted):
        raise EngineError(f"the build ended without an answer, after {answer}")
    return answer
