"""`stopline build` without a GPU: a real TensorRT builds, and nothing is claimed to have run."""

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from stopline.runtime.backends.backend import BackendError, open_backend
from stopline.runtime.backends.cuda import first_gpu
from stopline.runtime.backends.engine import find_engine
from stopline.runtime.backends.engine_record import read_record
from stopline.runtime.bundle import open_bundle
from tests.devices.engines.building import BUILD, build, ends, names_in, report_of, without_training
from tests.runtime.engines import ORIN
from tests.runtime.tiny import tiny_bundle

pytest.importorskip("tensorrt_rtx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_bundle(tmp_path / "tiny").path


def has_gpu() -> bool:
    try:
        first_gpu()
    except BackendError:
        return False
    return True


no_gpu = pytest.mark.skipif(has_gpu(), reason="this machine has a GPU")


def plans_and_records(bundle: Path) -> list[str]:
    return sorted(name.rpartition(".")[2] for name in names_in(bundle) - {".lock"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A bundle with its engine, and the report; building takes seconds, so once."""
    folder = tiny_bundle(tmp_path_factory.mktemp("built") / "tiny").path
    words = ("--json", "-", "--optimisation", "2", "--workspace", "64")
    return folder, report_of(build(folder, *words))


@no_gpu
def test_a_build_leaves_a_plan_with_its_record_and_says_that_it_did_not_run(
    built: tuple[Path, Any],
) -> None:
    folder, report = built
    [path] = (folder / "engines").glob("*.json")
    record = read_record(path)
    assert path.with_suffix(".plan").stat().st_size == record.plan_bytes > 100_000
    assert record.onnx_sha256 == open_bundle(folder).manifest.files["fp32.onnx"].sha256
    assert (record.gpu, record.sm, record.trial, record.rung) == (None, None, None, "fp32")
    assert record.not_run is not None and "no GPU" in record.not_run
    assert (record.built.optimisation, record.built.workspace_mib) == (2, 64)
    assert record.built.largest_batch == 4
    assert (report["chosen"], report["rungs"][0]["rung"]) == (None, "fp32")
    assert report["rungs"][0]["record"]["plan_sha256"] == record.plan_sha256


@no_gpu
def test_the_layers_of_the_engine_name_the_nodes_they_were_made_of(
    built: tuple[Path, Any],
) -> None:
    [path] = (built[0] / "engines").glob("*.json")
    layers = read_record(path).layers
    nodes = {node for layer in layers for node in layer.nodes}
    assert {"node_of_cells", "node_of_scores"} <= nodes
    assert any("Float" in layer.takes for layer in layers)


@no_gpu
def test_an_engine_that_was_built_without_a_gpu_is_never_used(built: tuple[Path, Any]) -> None:
    bundle = open_bundle(built[0])
    with pytest.raises(BackendError, match="built where there is no GPU, only to see"):
        find_engine(bundle, "fp32", ORIN)
    with pytest.raises(BackendError, match="no GPU"):
        open_backend(bundle, lambda backend: "fp32", "tensorrt")


@no_gpu
def test_without_a_gpu_and_without_no_run_nothing_is_built(folder: Path) -> None:
    done = subprocess.run([*BUILD, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--no-run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "engines").exists()


@no_gpu
def test_a_board_needs_neither_onnx_nor_torch(folder: Path) -> None:
    done = without_training("build", str(folder), "--no-run")
    assert done.returncode == 0, done.stderr
    assert plans_and_records(folder) == ["json", "plan"]


def test_the_check_builds_nothing_and_says_what_runs(folder: Path) -> None:
    done = subprocess.run(
        [*BUILD, str(folder), "--check", "--json", "-"], capture_output=True, text=True, check=False
    )
    answers = {one["backend"]: one for one in json.loads(done.stdout)["answers"]}
    assert done.returncode == 0
    assert answers["tensorrt"]["able"] is False
    assert answers["onnxruntime"]["able"] is True
    assert not (folder / "engines").exists()


def test_a_zip_is_built_where_it_is_unpacked(folder: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", folder)
    cache = tmp_path / "cache"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    report = report_of(build(Path(archive), "--json", "-", env=environment))
    assert Path(report["engines"]).is_relative_to(cache)
    assert list(Path(report["engines"]).glob("*.plan"))


def test_a_disk_that_is_full_leaves_nothing(folder: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    # Else the bytecode of what is imported would be cut off as well.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = build(folder, preexec_fn=small_files, env=environment)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert names_in(folder) == {".lock"}


def test_a_second_build_waits_for_the_first(folder: Path) -> None:
    (folder / "engines").mkdir()
    with (folder / "engines" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = started(folder)
        assert second.stderr is not None
        assert "another build is at work" in second.stderr.readline()
        assert not list((folder / "engines").glob("*.plan"))
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert plans_and_records(folder) == ["json", "plan"]


def test_ctrl_c_ends_the_child_and_leaves_nothing(folder: Path) -> None:
    typed = started(folder)
    child = child_of(typed.pid)
    typed.send_signal(signal.SIGINT)
    _, told = typed.communicate(timeout=30)
    assert (typed.returncode, told.strip()) == (130, "stopline: interrupted")
    assert ends(child)
    assert not list((folder / "engines").glob("*.plan"))
    assert not list((folder / "engines").glob(".building-*"))


def test_a_child_that_is_killed_is_reported_and_the_parent_lives(folder: Path) -> None:
    typed = started(folder)
    os.kill(child_of(typed.pid), signal.SIGKILL)
    _, told = typed.communicate(timeout=30)
    assert typed.returncode == 1
    assert "signal 9 (SIGKILL): probably out of memory" in told
    assert not list((folder / "engines").glob("*.plan"))


def started(folder: Path) -> "subprocess.Popen[str]":
    """As from a terminal: a shell that runs these tests behind itself has Ctrl-C ignored."""
    return subprocess.Popen(
        [*BUILD, str(folder), "--no-run"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def child_of(parent: int) -> int:
    """The process that builds, as soon as it is there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children:
            if b"stopline.devices.engines.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        time.sleep(0.002)
    raise AssertionError("no child came")
