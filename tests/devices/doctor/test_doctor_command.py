"""`stopline doctor` as a user types it, on this very machine, whatever it is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.devices.engines.building import without_training
from tests.runtime.tiny import tiny_bundle


def test_this_machine_runs_the_built_in_bundle_and_says_how() -> None:
    """The tests need a backend themselves; without onnx and torch, as on a board."""
    done = without_training("doctor", "--all", "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["able"] is True
    assert report["runs"][0]["precision"] in ("fp32", "fp16", "int8")
    groups = {one["group"] for one in report["findings"]}
    assert {"board", "gpu", "libraries", "cameras", "memory", "disk", "clock", "bundle"} <= groups
    assert "road-nano can run" in done.stderr


def test_a_machine_without_any_backend_exits_1(tmp_path: Path) -> None:
    """Its libraries are hidden from the children that try them."""
    hidden = tmp_path / "hidden"
    for name in ("onnxruntime", "openvino", "tensorrt", "tensorrt_rtx"):
        package = hidden / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('hidden')\n")
    bundle = tiny_bundle(tmp_path / "tiny").path
    done = subprocess.run(
        [sys.executable, "-m", "stopline", "doctor", str(bundle)],
        env={**os.environ, "PYTHONPATH": str(hidden)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot run" in done.stdout
    assert "pip install 'stopline[cpu]'" in done.stdout


def test_a_bundle_that_is_broken_is_one_line(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny").path
    shutil.copy(bundle / "manifest.json", bundle / "fp32.onnx")
    command = [sys.executable, "-m", "stopline", "doctor", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "its manifest says" in done.stderr
