"""What runs on the board needs no training library, and each folder knows only what is below."""

import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stopline.devices
import stopline.runtime

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, sys
for absent in ("torch", "onnx", "stopline.train", "stopline.export"):
    sys.modules[absent] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules() -> list[str]:
    """Every module of the runtime and the devices."""
    names = []
    for package in (stopline.runtime, stopline.devices):
        found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        names += [package.__name__, *(module.name for module in found)]
    return names


def import_all(names: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", IMPORT_ALL, *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    lint = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run(
        [lint, "--no-cache", "--config", "pyproject.toml"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The house without its furniture, to be vandalised."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("src", "runtime", "devices", "export", "train"):
        ignored = shutil.ignore_patterns("__pycache__", "bundles")
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=ignored)
    return tmp_path


def test_the_runtime_starts_where_torch_and_training_are_absent() -> None:
    names = modules()
    assert len(names) > 10
    done = import_all(names)
    assert done.returncode == 0, done.stderr


def test_a_module_that_imports_training_is_caught_at_start() -> None:
    done = import_all(["stopline.train.recipe"])
    assert done.returncode != 0
    assert "stopline.train" in done.stderr


def test_both_contracts_are_kept(copy: Path) -> None:
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("folder", "line", "contract"),
    [
        ("runtime", "import stopline.devices\n", "each folder imports only what lies below it"),
        ("devices", "import stopline.train\n", "each folder imports only what lies below it"),
        ("runtime", "import torch\n", "what runs on the board needs no training library"),
        ("devices", "def f():\n    import onnx\n", "what runs on the board needs no training"),
    ],
)
def test_a_seeded_violation_is_caught(copy: Path, folder: str, line: str, contract: str) -> None:
    (copy / folder / "seeded.py").write_text(line)
    done = lint_imports(copy)
    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if "BROKEN" in row]
    assert any(contract in row for row in broken), done.stdout
