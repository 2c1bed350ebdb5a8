"""Yes or no, and why, for boards that are given as data."""

from dataclasses import replace
from pathlib import Path

import pytest

from stopline.devices.board import Board, this_board
from stopline.devices.preflight import preflight, why_no_engine
from stopline.runtime.backends.cuda import Gpu
from stopline.runtime.backends.onnxruntime_backend import CPU
from stopline.runtime.backends.onnxruntime_gpu import CUDA, TENSORRT
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import Bundle
from tests.runtime.engines import PLAN, record_for, shelve
from tests.runtime.tiny import tiny_bundle

ORIN = Board(
    machine="aarch64",
    gpu=Gpu("Orin", "8.7", 7620, 5200),
    tensorrt=Library("tensorrt", "10.3.0"),
    dla_cores=2,
    versions={"onnxruntime-gpu": "1.23.0"},
    providers={CUDA: None, TENSORRT: None, CPU: None},
)
LAPTOP = Board(
    machine="x86_64",
    no_gpu="CUDA finds no GPU",
    no_tensorrt="no TensorRT: JetPack brings it",
    versions={"onnxruntime": "1.23.0", "openvino": "2026.4"},
    providers={CUDA: "this onnxruntime has no CUDAExecutionProvider", CPU: None},
)
assert ORIN.gpu is not None


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "tiny")


def answer(bundle: Bundle, board: Board, backend: str) -> tuple[bool, str]:
    found = preflight(bundle, board).answer(backend, "fp32")
    return found.able, found.why


def test_an_orin_without_engines_is_told_to_build_them(bundle: Bundle) -> None:
    able, why = answer(bundle, ORIN, "tensorrt")
    assert not able
    assert "`stopline build" in why
    assert answer(bundle, ORIN, "cuda") == (True, "a tiny graph ran")


def test_an_orin_with_its_engine_runs_it(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle))
    assert answer(bundle, ORIN, "tensorrt") == (True, "engine of tensorrt 10.3.0, 2.00 ms p50")


def test_an_engine_of_another_version_is_a_no_with_both_versions(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle))
    newer = replace(ORIN, tensorrt=Library("tensorrt", "10.16.0"))
    able, why = answer(bundle, newer, "tensorrt")
    assert not able
    assert "built with tensorrt 10.3.0" in why
    assert "tensorrt 10.16.0" in why


def test_a_truncated_plan_is_a_no(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle), PLAN[:4])
    able, why = answer(bundle, ORIN, "tensorrt")
    assert not able
    assert "has 4 bytes" in why


def test_an_engine_that_failed_its_trial_is_a_no(bundle: Bundle) -> None:
    shelve(bundle, record_for(bundle, refused="the self-test fails"))
    able, why = answer(bundle, ORIN, "tensorrt")
    assert not able
    assert "the self-test fails" in why


def test_a_provider_that_is_listed_and_cannot_run_is_a_no(bundle: Bundle) -> None:
    lame = replace(ORIN, providers={**ORIN.providers, CUDA: "libcublas is not there"})
    assert answer(bundle, lame, "cuda") == (False, "libcublas is not there")


def test_a_laptop_runs_on_its_cpu(bundle: Bundle) -> None:
    found = preflight(bundle, LAPTOP)
    assert found.able
    assert [one.backend for one in found.answers if one.able] == ["openvino", "onnxruntime"]
    assert answer(bundle, LAPTOP, "tensorrt") == (False, "no TensorRT: JetPack brings it")


def test_a_machine_with_nothing_can_run_nothing(bundle: Bundle) -> None:
    bare = Board(machine="x86_64", providers={CPU: "not installed"})
    assert not preflight(bundle, bare).able


@pytest.mark.parametrize(
    ("board", "dla", "why"),
    [
        (ORIN, None, None),
        (ORIN, 1, None),
        (ORIN, 2, "no DLA core 2: 2 are here"),
        (replace(ORIN, dla_cores=None), 0, "no DLA core 0: the number of its cores is unknown"),
        (replace(ORIN, gpu=Gpu("Nano", "5.3", 3960, 3000)), None, "needs sm 7.0, Nano has 5.3"),
        (replace(ORIN, gpu=Gpu("Orin", "8.7", 7620, 90)), None, "90 MiB of 7620 are free on Orin"),
        (replace(ORIN, tensorrt=Library("tensorrt", "8.6.2")), None, "wanted 10.3 or newer"),
        (replace(ORIN, tensorrt=Library("tensorrt", "11.4.0.9")), None, None),
        (
            replace(
                ORIN,
                gpu=Gpu("V100", "7.0", 16000, 15000),
                tensorrt=Library("tensorrt_rtx", "1.7.1.116"),
            ),
            None,
            "needs sm 7.5, V100 has 7.0",
        ),
    ],
)
def test_why_a_board_cannot_build(board: Board, dla: int | None, why: str | None) -> None:
    told = why_no_engine(board, dla)
    assert (told is None) == (why is None), told
    assert why is None or (told is not None and why in told)


def test_a_jetson_is_known_by_its_files(tmp_path: Path) -> None:
    tree = tmp_path / "proc" / "device-tree"
    for core in ("nvdla0@15880000", "nvdla1@158c0000"):
        (tree / "bus@0" / core).mkdir(parents=True)
    (tree / "model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 5324800 kB\n")
    (tmp_path / "etc").mkdir()
    release = "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic\n"
    (tmp_path / "etc" / "nv_tegra_release").write_text(release)
    board = this_board(tmp_path)
    assert board.model == "NVIDIA Jetson Orin Nano Developer Kit"
    assert (board.l4t, board.dla_cores, board.memory_mib) == ("36.4.0", 2, 5200)


def test_what_cannot_be_told_is_none(tmp_path: Path) -> None:
    board = this_board(tmp_path)
    assert (board.model, board.l4t, board.dla_cores, board.memory_mib) == (None,) * 4
