"""The ladder of a board: INT8, INT8 without what TensorRT refuses, FP16, FP32; the best that holds.

A rung is left if it cannot be parsed or built, if its self-test fails here, or if the next one is
faster. Where there is no GPU to run them, every rung is built and none is chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple

from msgspec.structs import replace

from stopline.devices.engines.layer_report import nodes_computed_in
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.rungs import (
    PRECISION,
    Attempt,
    chosen_of,
    is_decided,
    judged,
    rungs_of,
)
from stopline.devices.engines.shelf import Shelf, described, engine_shelf
from stopline.devices.engines.work import Work, built_in_child, tried_in_child
from stopline.runtime.backends.engine import engine_stem
from stopline.runtime.backends.engine_record import (
    Built,
    EngineLayer,
    EngineRecord,
    Left,
    Rung,
)
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Precision

MOST_EDITS = 8


class Target(NamedTuple):
    """What engines are built for; `not_run` says why they are not tried."""

    library: Library
    gpu: str | None
    sm: str | None
    not_run: str | None


class Edited(NamedTuple):
    """A graph whose offending nodes compute in float."""

    model: bytes
    floated: tuple[str, ...]


# Given a graph and what TensorRT said of it; raises EngineError if nothing can be done.
Edit = Callable[[bytes, str], Edited]


@dataclass(frozen=True)
class LadderSettings:
    """`edit` None means that no graph can be edited here, for the reason `no_edit`."""

    build: BuildSettings
    only: Precision | None = None
    edit: Edit | None = None
    no_edit: str = "editing a graph needs the onnx package"


@dataclass(frozen=True)
class Climbed:
    """Every rung that was tried, in order, and the one that was chosen."""

    attempts: tuple[Attempt, ...]
    chosen: Rung | None
    folder: str = field(default="")


def climb(
    bundle: Bundle,
    target: Target,
    settings: LadderSettings,
    work: Work,
) -> Climbed:
    """Build, try and place; raises EngineError if the bundle cannot be written to."""
    attempts: list[Attempt] = []
    with engine_shelf(bundle, work.on_wait) as shelf:
        for rung in rungs_of(bundle, settings.only):
            if rung == "int8-mixed" and not _is_worth_editing(attempts):
                continue
            climber = _Climber(bundle, target, settings, work, shelf)
            attempts.append(climber.attempt(rung, attempts))
            attempts = judged(attempts)
            if target.not_run is None and is_decided(attempts):
                break
        chosen = chosen_of(attempts) if target.not_run is None else None
        for attempt in attempts:
            _describe(shelf, attempt, attempts)
        for precision in _failed(attempts):
            shelf.withdraw(engine_stem(target.gpu, target.sm, target.library, precision))
        return Climbed(tuple(attempts), chosen, str(shelf.folder))


def _failed(attempts: Sequence[Attempt]) -> set[Precision]:
    """Of which nothing was built now: an engine of before would outlive its verdict."""
    built = {PRECISION[one.rung] for one in attempts if one.record is not None}
    return {PRECISION[one.rung] for one in attempts} - built


def _is_worth_editing(attempts: Sequence[Attempt]) -> bool:
    """Full INT8 could not even be built; one that runs and fails has no node to blame."""
    return bool(attempts) and attempts[-1].rung == "int8" and attempts[-1].record is None


@dataclass(frozen=True)
class _Climber:
    bundle: Bundle
    target: Target
    settings: LadderSettings
    work: Work
    shelf: Shelf

    def attempt(self, rung: Rung, before: Sequence[Attempt]) -> Attempt:
        try:
            record = self._mixed(before[-1].said) if rung == "int8-mixed" else self._whole(rung)
        except EngineError as error:
            return Attempt(rung, None, str(error), error.said)
        if self.target.not_run is not None:
            return Attempt(rung, record, None)
        try:
            trial = tried_in_child(self.bundle, record.precision, self.work)
        except EngineError as error:
            return Attempt(rung, record, str(error))
        return Attempt(rung, replace(record, trial=trial), None)

    def _whole(self, rung: Rung) -> EngineRecord:
        return self._built(rung, Edited(self._model(rung), ()))

    def _mixed(self, said: str) -> EngineRecord:
        """TensorRT may refuse another node when the first is out of its way."""
        if self.settings.edit is None:
            raise EngineError(self.settings.no_edit)
        model = self._model("int8-mixed")
        floated: tuple[str, ...] = ()
        for _ in range(MOST_EDITS):
            try:
                edited = self.settings.edit(model, said)
            except EngineError as error:
                raise EngineError(f"{error}; it said: {said}") from error
            model, floated = edited.model, (*floated, *edited.floated)
            try:
                return self._built("int8-mixed", Edited(model, floated))
            except EngineError as error:
                said = error.said
        raise EngineError(f"still refused with {', '.join(floated)} in float: {said}")

    def _model(self, rung: Rung) -> bytes:
        return self.bundle.variant_path(PRECISION[rung]).read_bytes()

    def _built(self, rung: Rung, graph: Edited) -> EngineRecord:
        target, precision = self.target, PRECISION[rung]
        stem = engine_stem(target.gpu, target.sm, target.library, precision)
        staged = self.shelf.staging / f"{stem}.plan"
        cache = self.shelf.timing_cache(stem)
        answer = built_in_child(graph.model, staged, cache, self.settings.build, self.work)
        if precision == "int8":
            _refuse_int8_on_paper(answer.layers)
        sha256, size = described(staged)
        variant = self.bundle.manifest.variants[precision]
        record = EngineRecord(
            schema=1,
            precision=precision,
            rung=rung,
            gpu=target.gpu,
            sm=target.sm,
            flavour=answer.flavour,
            version=answer.version,
            onnx_sha256=self.bundle.manifest.files[variant.file].sha256,
            plan_sha256=sha256,
            plan_bytes=size,
            calibration_sha256=variant.calibration.sha256 if variant.calibration else None,
            built=_how(self.settings.build, answer.workspace_mib, answer.seconds),
            floated=graph.floated,
            layers=answer.layers,
            placement=answer.placement,
            not_run=target.not_run,
        )
        self.shelf.place(stem, staged, record)
        return record


def _refuse_int8_on_paper(layers: Sequence[EngineLayer]) -> None:
    """TensorRT may build a Q/DQ graph and compute it in float: the loss without the gain."""
    if layers and not nodes_computed_in("Int8", layers):
        raise EngineError("TensorRT built it without a single INT8 kernel: fp16 does as well")


def _how(settings: BuildSettings, workspace_mib: int | None, seconds: float) -> Built:
    from stopline import __version__

    return Built(
        optimisation=settings.optimisation,
        workspace_mib=workspace_mib,
        dla=settings.dla,
        largest_batch=settings.largest_batch,
        seconds=round(seconds, 3),
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        stopline=__version__,
    )


def _describe(shelf: Shelf, attempt: Attempt, attempts: Sequence[Attempt]) -> None:
    if attempt.record is None:
        return
    above = attempts[: [one.rung for one in attempts].index(attempt.rung)]
    left = tuple(Left(rung=one.rung, why=one.why) for one in above if one.why is not None)
    record = replace(attempt.record, above=left, refused=attempt.why)
    library = Library(record.flavour, record.version)
    shelf.describe(engine_stem(record.gpu, record.sm, library, record.precision), record)
