"""Which rung is chosen: decided from what was measured, here given as data."""

import io
from pathlib import Path

import numpy as np
import pytest

from stopline.devices.engines.ladder import LadderSettings, Target, climb
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.progress import Phases
from stopline.devices.engines.rungs import (
    Attempt,
    chosen_of,
    is_decided,
    judged,
    rungs_of,
)
from stopline.devices.engines.trial import timed, try_engine
from stopline.devices.engines.work import Work
from stopline.runtime.backends.engine_record import Rung, Trial, read_record
from stopline.runtime.backends.tensorrt_library import library_of, tensorrt_module
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import BundleError
from tests.runtime.engines import record_for
from tests.runtime.tiny import HERE, red_square, tiny_bundle, tiny_manifest

EXACTLY = DetectorSettings("onnxruntime", precision="fp32")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "tiny")


def ran(bundle: Bundle, rung: Rung, p50_ms: float) -> Attempt:
    trial = Trial(runs=200, p50_ms=p50_ms, p90_ms=p50_ms, agrees="all")
    return Attempt(rung, record_for(bundle, rung=rung, trial=trial), None)


def climbed(*attempts: Attempt) -> list[Attempt]:
    """As they come, one after the other."""
    found: list[Attempt] = []
    for attempt in attempts:
        found = judged([*found, attempt])
        if is_decided(found):
            break
    return found


def test_int8_that_is_faster_than_fp16_is_chosen_and_fp32_is_not_built(bundle: Bundle) -> None:
    found = climbed(ran(bundle, "int8", 1), ran(bundle, "fp16", 2), ran(bundle, "fp32", 3))
    assert chosen_of(found) == "int8"
    assert [one.rung for one in found] == ["int8", "fp16"]


def test_int8_that_is_slower_than_fp16_is_left_with_the_figures(bundle: Bundle) -> None:
    found = climbed(ran(bundle, "int8", 2.5), ran(bundle, "fp16", 2), ran(bundle, "fp32", 3))
    assert chosen_of(found) == "fp16"
    assert found[0].why == "slower than fp16: 2.50 ms against 2.00 (p50)"
    assert len(found) == 3


def test_a_rung_that_fails_is_left_and_the_next_is_compared(bundle: Bundle) -> None:
    broken = Attempt("int8", None, "cannot build it", "said")
    found = climbed(broken, ran(bundle, "fp16", 2), ran(bundle, "fp32", 1))
    assert chosen_of(found) == "fp32"
    assert [one.why for one in found][:2] == [
        "cannot build it",
        "slower than fp32: 2.00 ms against 1.00 (p50)",
    ]


def test_a_self_test_that_fails_is_never_chosen_however_fast(bundle: Bundle) -> None:
    wrong = Attempt("int8", ran(bundle, "int8", 0.1).record, "the self-test fails")
    assert chosen_of(climbed(wrong, ran(bundle, "fp16", 2), ran(bundle, "fp32", 3))) == "fp16"


def test_equal_times_keep_the_better_rung(bundle: Bundle) -> None:
    assert chosen_of(climbed(ran(bundle, "int8", 2), ran(bundle, "fp16", 2))) == "int8"


def test_nothing_is_chosen_when_every_rung_fails() -> None:
    failed = [Attempt(rung, None, "no") for rung in ("int8", "fp16", "fp32")]
    assert chosen_of(climbed(*failed)) is None


def test_only_rungs_of_the_bundle_are_climbed(bundle: Bundle) -> None:
    assert rungs_of(bundle, None) == ["fp32"]
    with pytest.raises(BundleError, match="has no int8 variant: it has fp32"):
        rungs_of(bundle, "int8")


def test_an_engine_that_cannot_run_here_is_placed_with_why_it_is_refused(bundle: Bundle) -> None:
    """The trial of a target with a GPU, on a machine that has none."""
    pytest.importorskip("tensorrt_rtx")
    target = Target(library_of(tensorrt_module()), "Orin", "8.7", None)
    found = climb(bundle, target, LadderSettings(BuildSettings(largest_batch=4)), Work())
    assert found.chosen is None
    [path] = (bundle.path / "engines").glob("orin-sm87-*.json")
    refused = read_record(path).refused
    assert refused is not None
    assert refused == found.attempts[0].why


def with_selftest(where: Path, moved_px: float) -> Bundle:
    """What the tiny detector finds in one image, or something `moved_px` beside it."""
    image = red_square((64, 96), (8, 8, 24, 16))
    with Detector(tiny_bundle(where / "draft"), settings=EXACTLY) as detector:
        found = detector(image)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        image=image,
        boxes=found.boxes + np.float32(moved_px),
        scores=found.scores,
        classes=found.classes,
        min_score=np.float32(0.3),
    )
    files = {"fp32.onnx": (HERE / "tiny.onnx").read_bytes(), "selftest.npz": content.getvalue()}
    return write_bundle(where / "tested", tiny_manifest(), files)


def test_a_trial_passes_with_the_boxes_of_the_export_and_is_timed(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    trial = try_engine(with_selftest(tmp_path, 0), "fp32", "onnxruntime")
    assert trial.agrees == "100% of 4 boxes have a counterpart"
    assert trial.runs == 200
    assert 0 < trial.p50_ms <= trial.p90_ms


def test_a_trial_fails_with_other_boxes(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(EngineError, match="the self-test fails: 0% of the 4 boxes"):
        try_engine(with_selftest(tmp_path, 5), "fp32", "onnxruntime")


def test_a_bundle_that_cannot_show_its_boxes_cannot_pass(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="has no selftest"):
        try_engine(bundle, "fp32", "onnxruntime")


def test_times_are_of_the_runs_after_those_that_warm_up() -> None:
    ticks = iter(range(0, 100, 3))
    ran_times: list[int] = []
    times = timed(lambda: ran_times.append(1), 5, 2, lambda: next(ticks) * 1_000_000)
    assert times == [3, 3]
    assert len(ran_times) == 7


def test_progress_only_grows_and_ends_near_the_whole() -> None:
    told: list[float] = []
    phases = Phases(lambda share, phase: told.append(share))
    phases.start("build", 2)
    phases.start("first", 4)
    for step in range(4):
        phases.step("first", step)
    phases.finish("first")
    phases.step("build", 0)
    phases.start("second", 0)
    phases.step("second", 0)
    phases.finish("second")
    phases.step("build", 1)
    phases.finish("build")
    assert told == sorted(told)
    assert told[1:5] == pytest.approx([0, 0.125, 0.25, 0.375])
    assert told[-1] == 1
