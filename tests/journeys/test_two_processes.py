"""torchrun: two processes train as one would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stopline.train.checkpoint import load_checkpoint
from tests.train.tiny import write_recipe


def train(recipe: Path, out: Path, processes: int) -> dict[str, torch.Tensor]:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(launcher if processes > 1 else []), "-m", "stopline", "train"]
    done = subprocess.run(
        [*command, str(recipe), "--out", str(out)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return load_checkpoint(out / "tiny" / "last.pt").weights


@pytest.mark.journey
def test_two_gloo_processes_reach_the_weights_of_one(tmp_path: Path) -> None:
    """Batch norm is frozen: its statistics alone are each process's own, on purpose."""
    frozen = ("warmup = 2", "warmup = 2\nfreeze_batchnorm = true")
    recipe = write_recipe(tmp_path, frozen, ("every = 2", "every = 4"))
    one = train(recipe, tmp_path / "one", 1)
    two = train(recipe, tmp_path / "two", 2)
    for name, weights in one.items():
        assert torch.allclose(weights, two[name], rtol=1e-3, atol=1e-5), name
