"""Without `--precision`, the variant that is right on this machine runs, and says why."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.backends.choice import Choice, Machine, asked_for, choose
from stopline.runtime.backends.cpu import read_cpu
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Precision
from tests.runtime.clips import write_clip
from tests.runtime.tiny import TINY_HW, red_square, tiny_bundle
from tests.runtime.two_precisions import (
    BLIND,
    BOTH,
    CPUS,
    NO_VNNI,
    VNNI,
    Opener,
    bundle_of,
    selftest,
    variants,
)


def chosen(opener: Opener, cpuinfo: Path, trials: Path | None = None, threads: int = 1) -> Choice:
    machine = Machine(cpuinfo, threads, trials, opener.clock)
    return choose(opener.bundle, "onnxruntime", machine, opener)


def test_a_bundle_of_one_variant_leaves_no_choice(tmp_path: Path) -> None:
    opener = Opener(tiny_bundle(tmp_path / "t"))
    assert chosen(opener, VNNI) == ("fp32", "the only variant", None)


def test_a_cpu_without_vnni_runs_fp32_and_tries_nothing(tmp_path: Path) -> None:
    opener = Opener(bundle_of(tmp_path / "t", BOTH))
    precision, why, _ = chosen(opener, NO_VNNI)
    assert (precision, opener.opened) == ("fp32", [])
    assert why == "this CPU has no VNNI, so INT8 would saturate or be slower"


def test_int8_runs_where_it_is_faster_and_passes_its_self_test(tmp_path: Path) -> None:
    opener = Opener(bundle_of(tmp_path / "t", BOTH))
    precision, why, _ = chosen(opener, VNNI)
    assert precision == "int8"
    assert why == "it takes 0.50 of the time of fp32 here (15 pairs) and passes its self-test"


@pytest.mark.parametrize("int8_ms", [19, 20, 40])
def test_int8_that_gains_little_or_nothing_is_not_chosen(tmp_path: Path, int8_ms: float) -> None:
    precision, why, _ = chosen(Opener(bundle_of(tmp_path / "t", BOTH), int8_ms), VNNI)
    assert precision == "fp32"
    assert why.startswith(f"int8 takes {int8_ms / 20:.2f} of the time of fp32 here")


def test_int8_that_finds_nothing_is_not_chosen_however_fast(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "t", BOTH, {"int8.onnx": BLIND})
    precision, why, _ = chosen(Opener(bundle, int8_ms=1), VNNI)
    assert precision == "fp32"
    assert why == "INT8 was tried here, and it fails its self-test: 0 of 1 of its boxes are found"


def test_int8_that_finds_what_is_not_there_is_not_chosen(tmp_path: Path) -> None:
    """The boxes of the self-test are all found, and as many again."""
    image = red_square(TINY_HW, (8, 8, 24, 16))
    one = {
        "boxes": np.array([[8, 8, 16, 16]], np.float32),
        "scores": np.ones(1, np.float32),
        "classes": np.zeros(1, np.int64),
    }
    bundle = bundle_of(tmp_path / "t", BOTH, test=selftest(image, **one))
    precision, why, _ = chosen(Opener(bundle), VNNI)
    assert precision == "fp32"
    assert "1 of 2 of what is found is there" in why


def test_a_self_test_of_doubtful_boxes_proves_nothing(tmp_path: Path) -> None:
    image = red_square(TINY_HW, (8, 8, 16, 16)) // 3
    doubtful = {
        "boxes": np.array([[8, 8, 16, 16]], np.float32),
        "scores": np.array([0.25], np.float32),
        "classes": np.zeros(1, np.int64),
    }
    bundle = bundle_of(tmp_path / "t", BOTH, test=selftest(image, **doubtful))
    precision, why, _ = chosen(Opener(bundle), VNNI)
    assert precision == "fp32"
    assert "proves nothing" in why


@pytest.mark.parametrize("broken", ["int8.onnx", "fp32.onnx"])
def test_what_cannot_be_opened_cannot_be_tried_and_is_not_remembered(
    tmp_path: Path, broken: str
) -> None:
    bundle = bundle_of(tmp_path / "t", BOTH, {broken: b"not a graph"})
    precision, why, _ = chosen(Opener(bundle), VNNI, tmp_path / "trials")
    assert precision == "fp32"
    assert why.startswith("INT8 could not be tried here (cannot run ")
    assert not (tmp_path / "trials").exists()


def test_int8_that_was_never_compared_or_cannot_be_checked_is_not_chosen(tmp_path: Path) -> None:
    unseen = bundle_of(tmp_path / "a", variants("fp32", "int8", compared=False))
    assert chosen(Opener(unseen), VNNI) == ("fp32", "its int8 was never compared with it", None)
    untested = Opener(bundle_of(tmp_path / "b", BOTH, test=None))
    assert chosen(untested, VNNI)[:2] == (
        "fp32",
        "without a self-test INT8 cannot be checked here",
    )
    assert untested.opened == []


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino", "exact"])
def test_fp16_never_runs_on_a_cpu(tmp_path: Path, backend: str) -> None:
    opener = Opener(bundle_of(tmp_path / "t", variants("fp32", "fp16")))
    assert choose(opener.bundle, backend, Machine(VNNI), opener).precision == "fp32"


def test_a_gpu_runs_fp16_if_it_was_compared(tmp_path: Path) -> None:
    every: tuple[Precision, ...] = ("fp32", "fp16", "int8")
    for compared, wanted in ((True, "fp16"), (False, "fp32")):
        opener = Opener(bundle_of(tmp_path / wanted, variants(*every, compared=compared)))
        assert choose(opener.bundle, "cuda", Machine(NO_VNNI), opener).precision == wanted
        assert opener.opened == []


def test_a_bundle_without_fp32_runs_what_it_has(tmp_path: Path) -> None:
    opener = Opener(bundle_of(tmp_path / "t", variants("int8", "fp16")))
    assert chosen(opener, NO_VNNI)[:2] == ("int8", "there is no fp32")


def test_a_trial_is_made_once_and_anew_when_its_conditions_change(tmp_path: Path) -> None:
    opener = Opener(bundle_of(tmp_path / "t", BOTH))
    trials = tmp_path / "cache" / "trials"
    first = chosen(opener, VNNI, trials)
    assert len(opener.opened) == 2
    assert chosen(opener, VNNI, trials) == first
    assert len(opener.opened) == 2
    chosen(opener, VNNI, trials, threads=2)
    assert len(opener.opened) == 4
    chosen(opener, CPUS / "orin.txt", trials)
    assert len(opener.opened) == 6
    other = bundle_of(tmp_path / "other", BOTH, {"int8.onnx": BLIND})
    assert chosen(Opener(other), VNNI, trials).precision == "fp32"
    assert len(list(trials.iterdir())) == 4


@pytest.mark.parametrize("damage", ["torn", "empty", "of another", "a folder"])
def test_a_remembered_trial_that_is_damaged_is_made_anew(tmp_path: Path, damage: str) -> None:
    trials = tmp_path / "trials"
    opener = Opener(bundle_of(tmp_path / "t", BOTH))
    chosen(opener, VNNI, trials, threads=2)
    [of_two] = trials.iterdir()
    chosen(opener, VNNI, trials)
    [of_one] = set(trials.iterdir()) - {of_two}
    good = of_one.read_bytes()
    # What is remembered for two threads says here that INT8 is slow; it must not speak for one.
    of_another = of_two.read_bytes().replace(b'"time_share":0.5', b'"time_share":1.5')
    assert of_another != of_two.read_bytes()
    of_one.unlink()
    if damage == "a folder":
        of_one.mkdir()
    else:
        of_one.write_bytes({"torn": good[:-7], "empty": b"", "of another": of_another}[damage])
    before = len(opener.opened)
    assert chosen(opener, VNNI, trials).precision == "int8"
    assert len(opener.opened) == before + 2
    assert damage == "a folder" or of_one.read_bytes() == good


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("")
    opener = Opener(bundle_of(tmp_path / "t", BOTH))
    assert chosen(opener, VNNI, in_the_way / "trials").precision == "int8"
    assert chosen(opener, VNNI, None).precision == "int8"


def test_a_slow_machine_times_few_pairs_and_a_fast_one_no_more_than_enough(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "t", BOTH)
    slow, fast = Opener(bundle, 400, 800), Opener(bundle, 1, 2)
    assert "(3 pairs)" in chosen(slow, VNNI).why
    assert "(15 pairs)" in chosen(fast, VNNI).why


def test_int8_that_was_asked_for_comes_with_a_caution_where_it_saturates(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "t", BOTH)
    caution = asked_for(bundle, "int8", "onnxruntime", Machine(NO_VNNI)).caution
    assert caution is not None
    assert caution.startswith("this CPU has no VNNI")
    assert asked_for(bundle, "int8", "onnxruntime", Machine(VNNI)).caution is None
    assert asked_for(bundle, "int8", "exact", Machine(NO_VNNI)).caution is None
    assert asked_for(bundle, "fp32", "onnxruntime", Machine(NO_VNNI)).caution is None


def test_the_detector_says_what_it_runs_and_why(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "t", variants("fp32", "fp16"))
    with Detector(bundle, settings=DetectorSettings("onnxruntime")) as detector:
        assert (detector.precision, detector.choice.why) == ("fp32", "fp16 is for GPUs")
    asked = DetectorSettings("onnxruntime", "fp16")
    with Detector(bundle, settings=asked) as detector:
        assert (detector.precision, detector.choice.why) == ("fp16", "as asked for")


def test_run_shows_why_and_warns_of_int8_on_a_cpu_that_cannot(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "t", BOTH)
    clip = write_clip(tmp_path / "clip.mp4", [red_square(TINY_HW, (8, 8, 16, 16))] * 3)
    command = [sys.executable, "-m", "stopline", "run", str(bundle.path), "--source", str(clip)]
    command += ["--backend", "onnxruntime", "--threads", "1", "--precision", "int8"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "tiny-red int8 on onnxruntime (as asked for)" in ended.stdout
    against = read_cpu().against_int8
    assert ended.stderr.count("\n") == (0 if against is None else 1)
    assert against is None or against in ended.stderr
