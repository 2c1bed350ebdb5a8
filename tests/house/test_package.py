"""The wheel holds the four folders, typed, with the built-in bundle; nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [path] = out.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.journey
def test_the_wheel_holds_all_four_packages(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for package in ("runtime", "devices", "export", "train", "cli"):
        assert f"stopline/{package}/__init__.py" in names
    assert "stopline/py.typed" in names
    assert "stopline/runtime/bundles/road-nano/manifest.json" in names
    assert "stopline/runtime/bundles/road-nano/fp32.onnx" in names
    assert "stopline/runtime/sinks/view/page/page.html" in names
    assert "stopline/devices/profiles/boards/orin-nano.json" in names


@pytest.mark.journey
def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    strangers = [n for n in wheel.namelist() if not n.startswith(("stopline/", "stopline-"))]
    assert strangers == []
    assert not any("test" in Path(name).parts for name in wheel.namelist())
