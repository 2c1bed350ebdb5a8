"""The rules of the ladder: which rungs there are, and which of those that were tried is the one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from stopline.runtime.backends.engine_record import EngineRecord, Rung, Trial
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Precision

RUNGS: tuple[Rung, ...] = get_args(Rung)
PRECISION: dict[Rung, Precision] = {
    "int8": "int8",
    "int8-mixed": "int8",
    "fp16": "fp16",
    "fp32": "fp32",
}


@dataclass(frozen=True)
class Attempt:
    """One rung, built or not; `why` it is not the one, None if nothing speaks against it."""

    rung: Rung
    record: EngineRecord | None
    why: str | None
    said: str = ""

    @property
    def p50_ms(self) -> float | None:
        """None if it was not run."""
        return None if self.record is None or self.record.trial is None else self._trial.p50_ms

    @property
    def _trial(self) -> Trial:
        assert self.record is not None and self.record.trial is not None
        return self.record.trial


def rungs_of(bundle: Bundle, only: Precision | None) -> list[Rung]:
    """Those that the bundle has a variant for, best first; raises BundleError without `only`."""
    wanted = {bundle.precision(only)} if only else set(bundle.manifest.variants)
    return [rung for rung in RUNGS if PRECISION[rung] in wanted]


def judged(attempts: Sequence[Attempt]) -> list[Attempt]:
    """A rung that the last one outruns is left."""
    *before, last = attempts
    if last.why is not None or last.p50_ms is None:
        return list(attempts)
    return [*(_outrun(attempt, last) for attempt in before), last]


def is_decided(attempts: Sequence[Attempt]) -> bool:
    """Whether two rungs hold: the better one was not outrun by the next."""
    return sum(attempt.why is None for attempt in attempts) == 2


def chosen_of(attempts: Sequence[Attempt]) -> Rung | None:
    """The first that nothing speaks against."""
    return next((attempt.rung for attempt in attempts if attempt.why is None), None)


def _outrun(attempt: Attempt, last: Attempt) -> Attempt:
    if attempt.why is not None or attempt.p50_ms is None or last.p50_ms is None:
        return attempt
    if attempt.p50_ms <= last.p50_ms:
        return attempt
    why = f"slower than {last.rung}: {attempt.p50_ms:.2f} ms against {last.p50_ms:.2f} (p50)"
    return Attempt(attempt.rung, attempt.record, why)
