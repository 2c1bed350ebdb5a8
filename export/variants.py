"""FP16 and INT8 made of an FP32 bundle, each compared with what came before it, and gated."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import onnx
from onnx import ModelProto

from stopline.devices.fidelity import Answers, Evidence, fidelity
from stopline.devices.gate import GateLimits, Verdict, judge
from stopline.export.bisect import laid
from stopline.export.gate import GateError, exact_answers, measured, refuse_failed
from stopline.export.half import fp16_model
from stopline.export.headroom import refuse_overflow
from stopline.export.int8_in_engine import int8_in_engine
from stopline.export.raw import ExportError
from stopline.export.tensorrt_check import build_plan
from stopline.runtime.arrays import Frames
from stopline.runtime.bundle import Bundle
from stopline.runtime.manifest import Calibration, Fidelity, Precision, Variant

ONLY_ON_PAPER = "builds it without one kernel in INT8: it would be slower and no more exact"
PARTED_ON = 2  # images; the tensors of more would say the same
ORDER: tuple[Precision, ...] = ("fp32", "fp16", "int8")
OnStep = Callable[[str, float], None]  # what is being done, and how much of it is: 0 to 1


class Int8Made(NamedTuple):
    """An INT8 graph and what the manifest says of it."""

    model: ModelProto
    int8_macs: float
    calibration: Calibration


MakeInt8 = Callable[[Bundle, OnStep], Int8Made]


@dataclass(frozen=True)
class VariantsSettings:
    """`wanted` are made beside FP32, in ORDER; `make_int8` is needed for INT8 alone."""

    wanted: tuple[Precision, ...] = ()
    make_int8: MakeInt8 | None = None
    limits: GateLimits = field(default_factory=GateLimits)


class Made(NamedTuple):
    """A variant that passed. FP32 is what the others are compared with: it has no verdict."""

    graph: bytes
    variant: Variant
    verdict: Verdict | None
    tensorrt: str  # what TensorRT said of it


def with_variants(
    fp32: Bundle,
    evidence: Evidence,
    settings: VariantsSettings,
    on_step: OnStep = lambda text, done: None,
) -> tuple[Made, ...]:
    """FP32 itself, measured, and every variant that is wanted.

    Raises GateError for the first that does not answer as FP32 does, ExportError for one that
    cannot be made, TensorRTError for one that TensorRT cannot build.
    """
    refuse_ungateable(evidence, settings)
    making = _Making(fp32, evidence, settings, on_step)
    return tuple(making.made(precision) for precision in ORDER if precision in _all(settings))


def refuse_ungateable(evidence: Evidence, settings: VariantsSettings) -> None:
    """Raise ExportError now for what would be refused at the end of the work."""
    if "int8" not in settings.wanted:
        return
    if settings.make_int8 is None:
        raise ExportError(
            "INT8 needs images to find its ranges on: give some of the training split with "
            "--calibrate COCO.json (or a folder)"
        )
    if evidence.labelled is None:
        raise ExportError(
            "INT8 is gated on AP, which takes labels: give some that are not of the training "
            "split with --data COCO.json (and --images DIR)"
        )


def _all(settings: VariantsSettings) -> set[Precision]:
    return {"fp32", *settings.wanted}


class _Making:
    """Keeps what FP32 and the variant before answered."""

    def __init__(
        self, fp32: Bundle, evidence: Evidence, settings: VariantsSettings, on_step: OnStep
    ) -> None:
        self._bundle = fp32
        self._evidence = evidence
        self._settings = settings
        self._on_step = on_step
        self._fp32 = onnx.load(fp32.variant_path("fp32"))
        self._answered: dict[Precision, Answers] = {}

    def made(self, precision: Precision) -> Made:
        """Made, run, compared, judged and built."""
        int8 = self._int8() if precision == "int8" else None
        model = int8.model if int8 else self._fp32
        if precision == "fp16":
            refuse_overflow(self._fp32, self._frames())
            model = fp16_model(self._fp32)
        found = self._answers(precision, model)
        verdict = self._verdict(precision, found)
        if verdict is not None:
            refuse_failed(verdict, self._fp32, model, self._frames())
        variant = Variant(
            file=f"{precision}.onnx",
            precision=precision,
            accuracy=measured(found, self._evidence),
            fidelity=verdict.fidelity if verdict else None,
            step=self._step(found),
            calibration=int8.calibration if int8 else None,
            int8_macs=int8.int8_macs if int8 else None,
        )
        self._answered[precision] = found
        graph = self._graph(precision, model)
        return Made(graph, variant, verdict, self._built(variant, model, graph))

    def _graph(self, precision: Precision, model: ModelProto) -> bytes:
        """FP32 is kept to the byte."""
        if precision == "fp32":
            return self._bundle.variant_path("fp32").read_bytes()
        graph: bytes = model.SerializeToString()
        return graph

    def _int8(self) -> Int8Made:
        assert self._settings.make_int8 is not None
        return self._settings.make_int8(self._bundle, self._on_step)

    def _answers(self, precision: Precision, model: ModelProto) -> Answers:
        total, seen = max(1, self._evidence.steps), 0

        def on_image() -> None:
            nonlocal seen
            seen += 1
            self._on_step(f"{precision}: image {seen} of {total}", seen / total)

        return exact_answers(self._bundle, precision, model, self._evidence, on_image)

    def _verdict(self, precision: Precision, found: Answers) -> Verdict | None:
        if precision == "fp32":
            return None
        return judge(precision, self._against("fp32", found), self._settings.limits)

    def _frames(self) -> Frames:
        """A few, to tell where a variant that is refused parts from FP32."""
        return laid(self._evidence.scenes[:PARTED_ON], self._bundle.manifest.input)

    def _step(self, found: Answers) -> Fidelity | None:
        """Compared with the variant before, where that is not FP32."""
        before = next((one for one in reversed(self._answered) if one != "fp32"), None)
        return self._against(before, found) if before else None

    def _against(self, before: Precision, found: Answers) -> Fidelity:
        min_score = self._bundle.manifest.thresholds.min_score
        return fidelity(self._answered[before], found, self._evidence, min_score)

    def _built(self, variant: Variant, model: ModelProto, graph: bytes) -> str:
        self._on_step(f"{variant.precision}: TensorRT builds it", 0.0)
        try:
            plan = build_plan(graph, self._bundle.manifest.input.batch)
        except ImportError:
            return "not checked: no TensorRT here"
        if variant.int8_macs is None:
            return f"built, {len(plan.content)} bytes"
        share = int8_in_engine(model, plan)
        if variant.int8_macs and not share:
            raise GateError(f"int8 refused: TensorRT {ONLY_ON_PAPER}")
        return f"built, {len(plan.content)} bytes, {share:.1%} of multiply-accumulates in INT8"
