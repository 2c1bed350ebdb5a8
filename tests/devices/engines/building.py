"""`stopline build` as a user types it, on machines without a GPU."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BUILD = (sys.executable, "-m", "stopline", "build")
WITHOUT_TRAINING = """
import sys
for absent in ("torch", "onnx", "onnx_ir", "onnxslim", "stopline.train", "stopline.export"):
    sys.modules[absent] = None
sys.argv = ["stopline", *sys.argv[1:]]
from stopline.cli import main
main()
"""


def build(bundle: Path, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [*BUILD, str(bundle), "--no-run", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **how)


def report_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def names_in(bundle: Path) -> set[str]:
    """Of the engines' folder, hidden ones too."""
    return {path.name for path in (bundle / "engines").iterdir()}


def without_training(*words: str) -> subprocess.CompletedProcess[str]:
    """As on a board, where neither onnx nor torch can be imported."""
    command = [sys.executable, "-c", WITHOUT_TRAINING, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def ends(pid: int) -> bool:
    """Whether a process that was told to end does, within a few seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
