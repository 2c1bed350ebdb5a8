"""The light environment: what a board has. Torch is not there, and nothing asks for it."""

import importlib.metadata
import subprocess
import sys

import pytest

from stopline.cli import COMMANDS


def stopline(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stopline", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_version_is_the_packages() -> None:
    done = stopline("--version")
    assert done.returncode == 0
    assert importlib.metadata.version("stopline") in done.stdout


def test_help_needs_no_library_of_any_command() -> None:
    done = stopline("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_an_unknown_command_is_wrong_usage() -> None:
    done = stopline("drive")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_start_imports_no_library_it_does_not_use() -> None:
    listing = "import sys, stopline.cli, stopline.cli.run; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"torch", "onnx", "onnxruntime", "openvino", "matplotlib"})


@pytest.mark.parametrize("command", ["run", "build", "verify", "profile", "doctor", "plan"])
def test_help_of_what_a_board_runs_works_there(command: str) -> None:
    done = stopline(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
