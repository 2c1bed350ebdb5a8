"""Each library is tried in a process of its own, and its answer is compared, not believed."""

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stopline.devices.doctor import probe
from stopline.devices.doctor.host import Host, Said, ask, this_host
from stopline.devices.doctor.probed import Probed, probes
from stopline.runtime.bundle import open_bundle, write_bundle
from stopline.runtime.selftest import read_selftest
from tests.devices.doctor.recorded import Answer, Recorded

MODULE = "python -m stopline.devices.doctor.probe"


def answered(what: str, answer: Answer | None) -> Host:
    return Host(Path("/nowhere"), Recorded({f"{MODULE} {what}": answer}))


def test_the_tiny_detector_runs_in_a_child_and_finds_what_it_must() -> None:
    pytest.importorskip("onnxruntime")
    said = ask(("python", "-m", "stopline.devices.doctor.probe", "onnxruntime"), 60)
    assert said is not None
    assert (said.code, said.out.strip()) == (0, '{"here":true,"failure":null,"facts":{}}')


def test_a_wrong_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A detector that finds less than the recorded boxes: as a GPU that multiplies wrong."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnx import numpy_helper

    from tests.devices.doctor.make_probe import manifest, selftest

    model = onnx.load(probe.PROBE / "fp32.onnx")
    (red,) = (one for one in model.graph.initializer if one.name == "red")
    weaker = numpy_helper.to_array(red) * np.float32(0.5)
    red.CopyFrom(numpy_helper.from_array(weaker, "red"))
    files = {"fp32.onnx": model.SerializeToString(), "selftest.npz": selftest()}
    monkeypatch.setattr(probe, "PROBE", write_bundle(tmp_path / "probe", manifest(), files).path)
    tried = probe.tried("onnxruntime")
    assert tried.failure is not None
    assert not tried.works
    assert "self-test" in tried.failure


def test_the_tiny_detector_is_what_its_script_writes(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from tests.devices.doctor.make_probe import write_probe

    written, kept = write_probe(tmp_path / "probe"), open_bundle(probe.PROBE)
    made, found = (onnx.load(one.variant_path("fp32")) for one in (written, kept))
    assert made == found
    test, recorded = read_selftest(written), read_selftest(kept)
    assert np.array_equal(test.image, recorded.image)
    assert np.array_equal(test.boxes.boxes, recorded.boxes.boxes)
    assert msgspec.structs.replace(written.manifest, files={}) == msgspec.structs.replace(
        kept.manifest, files={}
    )


def test_what_is_not_on_this_machine_is_not_here() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    tried = probe.tried("cuda")
    assert not tried.here
    assert "no CUDAExecutionProvider" in (tried.failure or "")


def test_opencv_says_what_it_can_read() -> None:
    facts = probe.tried("cv2").facts
    assert facts["ffmpeg"] in ("True", "False")
    assert facts["version"][0].isdigit()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (None, "it was not tried"),
        (Answer(-11, []), "it crashed with signal 11 (SIGSEGV)"),
        (Answer(1, [], ["Traceback", "ImportError: libfoo.so"]), "ImportError: libfoo.so"),
        (Answer(0, ["hello"]), "no answer of it but 'hello'"),
        (Answer(0, []), "no answer of it but ''"),
        (Answer(124, [], ["no answer within 180 s"]), "no answer within 180 s"),
    ],
)
def test_a_child_that_fails_takes_nothing_with_it(answer: Answer | None, failure: str) -> None:
    assert probes(answered("cv2", answer)).cv2.failure == failure


def test_what_a_library_prints_before_the_answer_is_passed_over() -> None:
    host = answered("cv2", Answer(0, ["[ WARN:0] hello", '{"here":true,"failure":null}']))
    assert probes(host).cv2 == Probed()


def test_a_command_that_is_not_there_is_none() -> None:
    assert ask(("no-such-command-anywhere",)) is None


def test_a_command_that_hangs_is_given_up() -> None:
    assert ask(("sleep", "20"), patience_s=0.2) == Said(124, "", "no answer within 0.2 s")


def test_a_command_that_crashes_says_how() -> None:
    said = ask((sys.executable, "-c", "import os; os.abort()"))
    assert said is not None
    assert said.why == "it crashed with signal 6 (SIGABRT)"


def test_this_machine_is_examined_from_its_root() -> None:
    assert this_host().text("proc/meminfo") is not None
    assert this_host().names("proc/nothing-of-the-kind") == []
