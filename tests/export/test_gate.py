"""What is broken is refused, with the reason; what is sound passes. On road-nano itself."""

from collections.abc import Callable
from dataclasses import dataclass

import onnx
import pytest
from onnx import ModelProto

from stopline.devices.fidelity import Answers, Evidence, fidelity
from stopline.devices.gate import GateLimits, Verdict, judge
from stopline.export.bisect import laid
from stopline.export.gate import ROUNDED, GateError, exact_answers, measured, refuse_failed
from stopline.export.half import fp16_model
from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.manifest import Precision
from tests.export.broken import corrupted_layer, one_scale, shifted_padding, swapped_channels
from tests.export.plain_int8 import plain_int8
from tests.export.views import COUNT, evidence

LIMITS = GateLimits(least_images=COUNT)  # the views are few, and what is broken is very broken


@dataclass(frozen=True, eq=False)
class Gate:
    """road-nano's FP32 and what it answered, once for all tests."""

    bundle: Bundle
    model: ModelProto
    evidence: Evidence
    fp32: Answers

    def verdict(self, precision: Precision, variant: ModelProto) -> Verdict:
        found = exact_answers(self.bundle, precision, variant, self.evidence)
        min_score = self.bundle.manifest.thresholds.min_score
        return judge(precision, fidelity(self.fp32, found, self.evidence, min_score), LIMITS)

    def refusal(self, precision: Precision, variant: ModelProto) -> str:
        frames = laid(self.evidence.scenes[:1], self.bundle.manifest.input)
        with pytest.raises(GateError) as refused:
            refuse_failed(self.verdict(precision, variant), self.model, variant, frames)
        return str(refused.value)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    bundle = open_bundle("road-nano")
    model = onnx.load(bundle.variant_path("fp32"))
    seen = evidence(bundle, tmp_path_factory.mktemp("views"))
    return Gate(bundle, model, seen, exact_answers(bundle, "fp32", model, seen))


def test_a_sound_fp16_passes_and_says_how_it_was_measured(gate: Gate) -> None:
    verdict = gate.verdict("fp16", fp16_model(gate.model))
    assert verdict.passed, verdict.refused
    assert verdict.fidelity.arithmetic == ROUNDED
    assert verdict.fidelity.boxes > 300
    assert verdict.fidelity.matched > 0.99
    assert verdict.fidelity.images == verdict.fidelity.scenes == COUNT


def test_the_same_graph_passes_as_int8(gate: Gate) -> None:
    verdict = gate.verdict("int8", gate.model)
    assert verdict.passed, verdict.refused
    assert verdict.fidelity.AP_share == pytest.approx(1, abs=1e-4)


def test_the_views_are_labelled_with_what_fp32_finds(gate: Gate) -> None:
    said = measured(gate.fp32, gate.evidence)
    assert said is not None
    assert 0.5 < said.AP < 0.95
    assert said.backend == "onnxruntime"


@pytest.mark.parametrize(
    "breaks",
    [one_scale, swapped_channels, shifted_padding, lambda model: corrupted_layer(model, 40)],
    ids=["boxes and scores under one scale", "RGB", "padding", "one layer"],
)
def test_a_broken_variant_is_refused(
    gate: Gate, breaks: Callable[[ModelProto], ModelProto]
) -> None:
    refused = gate.verdict("int8", breaks(gate.model)).refused
    assert any("of fp32's AP" in reason for reason in refused), refused


def test_fp16_is_also_refused_for_its_boxes(gate: Gate) -> None:
    refused = gate.verdict("fp16", fp16_model(shifted_padding(gate.model))).refused
    assert any("have a counterpart in fp32, wanted 99%" in reason for reason in refused), refused


def test_the_refusal_names_the_layer_that_was_corrupted(gate: Gate) -> None:
    said = gate.refusal("int8", corrupted_layer(gate.model, 40))
    assert "int8 refused, nothing was written: it keeps" in said
    assert "wanted 99%" in said
    assert "they part at net/conv2d_40 " in said
    assert "`--precision fp32,fp16` leaves it out" in said


def test_min_max_int8_with_depthwise_is_refused(gate: Gate) -> None:
    frames = laid(gate.evidence.scenes[:2], gate.bundle.manifest.input)
    refused = gate.verdict("int8", plain_int8(gate.model, frames)).refused
    assert any("of fp32's AP" in reason for reason in refused), refused


def test_a_variant_that_finds_nothing_is_refused(gate: Gate) -> None:
    said = gate.verdict("int8", corrupted_layer(gate.model, 0, by=0.0)).refused
    assert any("0.0% of fp32's AP" in reason for reason in said)
