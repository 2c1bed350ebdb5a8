"""An engine runs where it was built, from the graph it was built from, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from stopline.runtime.backends.backend import BackendError, open_backend
from stopline.runtime.backends.engine import Here, best_rung, engine_stem, find_engine
from stopline.runtime.backends.engine_record import Left
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import Bundle, open_bundle
from tests.runtime.engines import ORIN, PLAN, record_for, shelve
from tests.runtime.tiny import tiny_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "tiny")


def test_the_name_says_what_an_engine_is_for() -> None:
    rtx = Library("tensorrt_rtx", "1.7.1.116")
    assert engine_stem("Orin", "8.7", ORIN.library, "int8") == "orin-sm87-trt10.3.0-int8"
    assert (
        engine_stem("NVIDIA GeForce RTX 5090", "12.0", rtx, "fp16")
        == "nvidia-geforce-rtx-5090-sm120-trtrtx1.7.1.116-fp16"
    )
    assert engine_stem(None, None, rtx, "fp32") == "nogpu-smnone-trtrtx1.7.1.116-fp32"


def test_an_engine_of_this_place_is_found_and_read(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle))
    assert find_engine(bundle, "fp32", ORIN).plan == PLAN
    open_bundle(bundle.path)  # engines are no strangers in it


def test_without_engines_the_reason_says_what_to_type(bundle: Bundle) -> None:
    with pytest.raises(BackendError, match=r"no fp32 engine in .*`stopline build"):
        find_engine(bundle, "fp32", ORIN)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"gpu": "Xavier", "sm": "7.2"}, r"built for Xavier \(sm 7.2\)"),
        ({"sm": "8.6"}, r"built for Orin \(sm 8.6\)"),
        ({"version": "10.3.1"}, "built with tensorrt 10.3.1"),
        ({"flavour": "tensorrt_rtx"}, "built with tensorrt_rtx 10.3.0"),
        ({"onnx_sha256": "0" * 64}, "built from another fp32.onnx"),
        ({"gpu": None, "sm": None}, "where there is no GPU"),
    ],
)
def test_an_engine_of_another_place_is_refused(
    bundle: Bundle, changed: dict[str, Any], reason: str
) -> None:
    shelve(bundle, record_for(bundle, **changed))
    with pytest.raises(BackendError, match=reason):
        find_engine(bundle, "fp32", ORIN)


def test_an_engine_for_fewer_frames_is_refused(tmp_path: Path) -> None:
    small, large = tiny_bundle(tmp_path / "a", batch=1), tiny_bundle(tmp_path / "b", batch=4)
    shelve(large, record_for(small))
    with pytest.raises(BackendError, match="takes 1 frames at most"):
        find_engine(large, "fp32", ORIN)


def test_a_renamed_engine_is_judged_by_its_record(bundle: Bundle) -> None:
    plan = shelve(bundle, record_for(bundle, gpu="Xavier", sm="7.2"))
    right = engine_stem(ORIN.gpu, ORIN.sm, ORIN.library, "fp32")
    for suffix in (".plan", ".json"):
        plan.with_suffix(suffix).rename(plan.with_name(right + suffix))
    with pytest.raises(BackendError, match="built for Xavier"):
        find_engine(bundle, "fp32", ORIN)


def test_a_truncated_plan_is_refused_before_tensorrt_sees_it(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle), PLAN[:-3])
    with pytest.raises(BackendError, match="18 bytes, its record says 21: build it again"):
        find_engine(bundle, "fp32", ORIN)


def test_a_plan_of_the_right_size_with_other_bytes_is_refused(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle), PLAN[:-1] + b"?")
    with pytest.raises(BackendError, match=r"not what its record says \(sha256\)"):
        find_engine(bundle, "fp32", ORIN)


def test_a_record_without_its_plan_is_refused(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle)).unlink()
    with pytest.raises(BackendError, match="is missing, its record is there"):
        find_engine(bundle, "fp32", ORIN)


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"schema": 2}', b"\xff\xfe"])
def test_a_broken_record_is_a_reason_and_not_a_crash(bundle: Bundle, broken: bytes) -> None:
    shelve(bundle, record_for(bundle)).with_suffix(".json").write_bytes(broken)
    with pytest.raises(BackendError, match="no record of an engine"):
        find_engine(bundle, "fp32", ORIN)


def test_the_right_engine_is_found_among_wrong_ones(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle, gpu="Xavier", sm="7.2"))
    shelve(bundle, record_for(bundle, version="11.4.0"))
    shelve(bundle, record_for(bundle))
    assert find_engine(bundle, "fp32", ORIN).record.version == "10.3.0"


def test_the_ladders_choice_is_told_with_what_was_left(bundle: Bundle) -> None:
    left = (Left(rung="int8", why="the self-test fails"),)
    shelve(bundle, record_for(bundle, above=left))
    assert best_rung(bundle, ORIN) == (
        "fp32",
        "the ladder chose fp32 on this board; int8 was not taken: the self-test fails",
    )


@pytest.mark.parametrize("changed", [{"trial": None}, {"refused": "slower than fp16"}])
def test_what_was_not_run_or_was_refused_is_not_chosen(
    bundle: Bundle, changed: dict[str, Any]
) -> None:
    shelve(bundle, record_for(bundle, **changed))
    assert best_rung(bundle, ORIN) is None


def test_an_engine_of_another_board_is_not_chosen(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle))
    elsewhere = Here("Thor", "11.0", ORIN.library)
    assert best_rung(bundle, elsewhere) is None


def test_a_bundle_with_engines_says_why_another_backend_runs(bundle: Bundle) -> None:
    """This machine has no Orin, so the engine cannot be for it, whatever else it has."""
    pytest.importorskip("onnxruntime")
    shelve(bundle, record_for(bundle))
    opened = open_backend(bundle, lambda backend: "fp32")
    if opened.backend.name == "tensorrt":
        pytest.fail("an engine for an Orin with a plan of 21 bytes was run")
    reasons = [reason for reason in opened.passed_over if reason.startswith("tensorrt: ")]
    assert len(reasons) == 1, opened.passed_over


def test_what_this_machine_simply_lacks_is_not_told(bundle: Bundle) -> None:
    pytest.importorskip("onnxruntime")
    if (opened := open_backend(bundle, lambda backend: "fp32")).backend.name == "tensorrt":
        pytest.skip("this machine lacks nothing")
    assert not any("no TensorRT" in reason for reason in opened.passed_over)
