"""The gate: a variant that does not answer as FP32 does is refused, with the reason."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from onnx import ModelProto

from stopline.devices.evaluation import EvaluationSettings, evaluate
from stopline.devices.evaluation_report import accuracy
from stopline.devices.fidelity import EXACT, Answers, Evidence, Run, answers
from stopline.devices.gate import Verdict
from stopline.export.bisect import part
from stopline.export.half_rounded import rounded_model
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Accuracy, Precision, Variant

ROUNDED = "exact, each result rounded to float16"  # a CPU runs float16 graphs in float32
FLOAT = "onnxruntime"


class GateError(ExportError):
    """A variant that may not stand for FP32; says why, in sentences."""


def refuse_failed(verdict: Verdict, fp32: ModelProto, variant: ModelProto, frames: Frames) -> None:
    """Raise GateError with every reason, and where the two part, unless the variant passed.

    Of INT8 that parts nowhere it names the layers that contribute most, which takes a run for
    each of them.
    """
    if verdict.passed:
        return
    without = "--precision fp32" if verdict.precision == "fp16" else "--precision fp32,fp16"
    where = f"{_parting(fp32, variant, frames)}. " if verdict.differs else ""
    raise GateError(
        f"{verdict.precision} refused, nothing was written: {'; '.join(verdict.refused)}. "
        f"{where}`{without}` leaves it out"
    )


def _parting(fp32: ModelProto, variant: ModelProto, frames: Frames) -> str:
    try:
        parting = part(fp32, variant, frames)
    except ExportError as error:  # graphs that are no variants of one
        return f"Where they part cannot be told: {error}"
    return f"Against fp32, {parting}"


def exact_answers(
    bundle: Bundle,
    precision: Precision,
    model: ModelProto,
    evidence: Evidence,
    on_image: Callable[[], None] = lambda: None,
) -> Answers:
    """What a graph means, on this CPU: Q/DQ in float arithmetic, float16 rounded at each node."""
    run = {
        "fp32": Run("fp32", FLOAT),
        "fp16": Run("fp16", EXACT, ROUNDED),
        "int8": Run("int8", EXACT),
    }[precision]
    runnable = rounded_model(model) if precision == "fp16" else model
    file = f"{precision}.onnx"
    manifest = replace(
        bundle.manifest, variants={precision: Variant(file=file, precision=precision)}
    )
    with tempfile.TemporaryDirectory() as scratch:
        files = {file: runnable.SerializeToString()}
        alone = write_bundle(Path(scratch) / "alone", manifest, files)
        return answers(alone, run, evidence, on_image)


def measured(found: Answers, evidence: Evidence) -> Accuracy | None:
    """COCO's figures of what was found; None without labels."""
    if evidence.labelled is None or found.recorded is None:
        return None
    said = evaluate(found.recorded, evidence.labelled, EvaluationSettings(resamples=0))
    return replace(accuracy(said), backend=found.arithmetic)
