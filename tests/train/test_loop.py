"""A run that is stopped and resumed ends where an unbroken one ends, to the bit."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from stopline.runtime.manifest import Provenance
from stopline.train.checkpoint import Checkpoint, load_checkpoint
from stopline.train.dataset import Batches
from stopline.train.loop import Run, Scores, State, train
from stopline.train.recipe import read_recipe
from stopline.train.sources import Places, open_training
from stopline.train.yolox import Yolox
from tests.train.tiny import silent, write_recipe

UNKNOWN = Provenance(created="2026-01-01T00:00:00+00:00", stopline="0", command="train")


def no_score(checkpoint: Checkpoint) -> Scores:
    return {"AP": 0.0, "AP50": 0.0, "AP75": None}


def after(steps: int) -> Callable[[], bool]:
    """Someone who asks to stop after so many steps."""
    left = iter(range(steps))
    return lambda: next(left, None) is None


def run_in(folder: Path, *changes: tuple[str, str]) -> Run:
    recipe = read_recipe(write_recipe(folder, *changes))
    return Run(recipe, folder, UNKNOWN, no_score, lambda row: None, lambda: False)


def go(run: Run, resume: bool = False) -> State:
    recipe = run.recipe
    places = Places(run.folder, run.folder / "cache")
    batches = Batches(recipe, open_training(recipe, places, silent))
    torch.manual_seed(recipe.seed)
    model = Yolox(len(recipe.classes), recipe.model)
    return train(run, Fabric(accelerator="cpu", devices=1), model, batches, resume)


def weights_in(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).weights


@pytest.mark.parametrize("method", ["sgd", "adamw"])
def test_resumed_equals_unbroken_to_the_bit(tmp_path: Path, method: str) -> None:
    change = ("lr = 0.01", f'lr = 0.01\nmethod = "{method}"')
    unbroken, broken = run_in(tmp_path / "a", change), run_in(tmp_path / "b", change)
    assert go(unbroken).step == 4
    assert go(replace(broken, stopped=after(2))).step == 3
    assert go(broken, resume=True).step == 4
    one, other = weights_in(tmp_path / "a" / "last.pt"), weights_in(tmp_path / "b" / "last.pt")
    assert all(torch.equal(one[name], other[name]) for name in one)
    trained = [load_checkpoint(tmp_path / part / "last.pt").training for part in ("a", "b")]
    assert trained[0] is not None and trained[1] is not None
    assert trained[0]["step"] == trained[1]["step"] == 4
    for name, value in trained[0]["model"].items():
        assert torch.equal(value, trained[1]["model"][name])


def test_training_moves_the_weights_and_lowers_the_loss(tmp_path: Path) -> None:
    rows: list[float] = []
    longer = ("steps = 4", 'steps = 40\nmethod = "adamw"')
    simple = ("[optimise]", "[augment]\nmosaic = 0\n\n[optimise]")
    run = run_in(tmp_path, longer, simple, ("every = 2", "every = 40"))
    run = replace(run, report=lambda row: rows.append(row.get("loss") or 0))
    go(run)
    losses = [loss for loss in rows if loss]
    assert losses[-1] < 0.92 * losses[0]


def test_a_run_leaves_its_figures_and_its_curves(tmp_path: Path) -> None:
    go(run_in(tmp_path))
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["AP"]] == ["2", "4"]
    assert {row["AP75"] for row in rows} == {""}  # unknown is empty, not 0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert load_checkpoint(tmp_path / "best.pt").training is None


def test_a_resumed_run_keeps_one_row_for_each_step(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    go(replace(run, stopped=after(2)))
    go(run, resume=True)
    with (tmp_path / "metrics.csv").open() as file:
        steps = [row["step"] for row in csv.DictReader(file) if row["AP"]]
    assert steps == ["2", "4"]


def test_the_best_is_kept_when_later_ones_are_worse(tmp_path: Path) -> None:
    scores = iter([0.5, 0.4])
    run = replace(run_in(tmp_path), validate=lambda checkpoint: {"AP": next(scores), "AP50": None})
    assert go(run).best == 0.5
    best, last = weights_in(tmp_path / "best.pt"), weights_in(tmp_path / "last.pt")
    assert any(not torch.equal(best[name], last[name]) for name in best)


def test_frozen_batch_norm_keeps_its_statistics(tmp_path: Path) -> None:
    run = run_in(tmp_path, ("warmup = 2", "warmup = 2\nfreeze_batchnorm = true"))
    go(run)
    weights = weights_in(tmp_path / "last.pt")
    means = [t for name, t in weights.items() if name.endswith("running_mean")]
    assert means and all((mean == 0).all() for mean in means)


def test_a_diverging_run_says_what_to_lower(tmp_path: Path) -> None:
    run = run_in(tmp_path, ("lr = 0.01", "lr = 1e30\nclip = 1e30"), ("warmup = 2", "warmup = 0"))
    with pytest.raises(ValueError, match=r"the loss is \S+ at step \d: lower optimise.lr"):
        go(run)


def test_the_best_blend_with_the_start_is_kept(tmp_path: Path) -> None:
    run = run_in(tmp_path, ("every = 2", "every = 4\nblends = [0.25, 1.0]"))
    seen: list[dict[str, torch.Tensor]] = []

    def less_is_better(checkpoint: Checkpoint) -> Scores:
        seen.append(checkpoint.weights)
        return {"AP": 1.0 - 0.1 * len(seen), "AP50": None}

    rows: list[float | int | None] = []
    end = go(
        replace(run, validate=less_is_better, report=lambda row: rows.append(row.get("blend")))
    )
    best, last = weights_in(tmp_path / "best.pt"), weights_in(tmp_path / "last.pt")
    for name, began in end.start.items():
        if began.dtype.is_floating_point:
            assert torch.allclose(best[name], began + 0.25 * (last[name] - began), atol=1e-6)
    assert rows[-1] == 0.25
