"""From a recipe's file to a run's folder, and every way in which a user can get it wrong."""

import json
from pathlib import Path

import pytest

from stopline.train.checkpoint import Checkpoint, load_checkpoint
from stopline.train.loop import Scores
from stopline.train.recipe import Recipe
from stopline.train.session import Outcome, Request, Validator, run_training
from stopline.train.sources import Places, Progress
from tests.train.tiny import silent, write_recipe


def unmeasured(recipe: Recipe, places: Places, progress: Progress) -> Validator:
    def score(checkpoint: Checkpoint) -> Scores:
        return {"AP": 0.25, "AP50": None}

    return score


def run(recipe: Path, out: Path, *, resume: bool = False, name: str | None = None) -> Outcome:
    request = Request(recipe, out, name, resume=resume)
    return run_training(request, unmeasured, silent, lambda row: None)


def edit_labels(folder: Path, **changes: object) -> None:
    path = folder / "labels.json"
    labels = json.loads(path.read_text())
    labels["annotations"][0].update(changes)
    path.write_text(json.dumps(labels))


def test_a_run_leaves_its_recipe_and_checkpoints_with_their_sources(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "data")
    outcome = run(recipe, tmp_path / "runs")
    assert outcome.finished and outcome.shippable and outcome.AP == 0.25
    left = {path.name for path in outcome.folder.iterdir()}
    assert left == {"recipe.toml", "best.pt", "last.pt", "metrics.csv", "curves.png"}
    assert (outcome.folder / "recipe.toml").read_text() == recipe.read_text()
    (source,) = load_checkpoint(outcome.folder / "best.pt").provenance.sources
    assert (source.name, source.licence, source.images) == ("squares", "CC0-1.0", 6)


def test_a_non_commercial_source_is_told_and_kept(tmp_path: Path) -> None:
    change = ("commercial = true", "commercial = false")
    outcome = run(write_recipe(tmp_path, change), tmp_path / "runs")
    assert not outcome.shippable
    assert not load_checkpoint(outcome.folder / "best.pt").provenance.shippable


def test_a_run_is_not_overwritten_by_another(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    run(recipe, tmp_path / "runs")
    with pytest.raises(OSError, match="has a run: add --resume to go on with it, or --name"):
        run(recipe, tmp_path / "runs")
    assert run(recipe, tmp_path / "runs", name="second").finished


def test_nothing_can_be_resumed_where_nothing_was_begun(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nothing to resume: no .*last\.pt"):
        run(write_recipe(tmp_path), tmp_path / "runs", resume=True)


def test_a_run_is_not_resumed_with_another_recipe(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    run(recipe, tmp_path / "runs")
    recipe.write_text(recipe.read_text().replace("seed = 3", "seed = 4"))
    with pytest.raises(ValueError, match=r"tiny.toml differs from .* in seed: .* another --name"):
        run(recipe, tmp_path / "runs", resume=True)


def test_a_box_outside_its_image_is_named(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    edit_labels(tmp_path, bbox=[100, 10, 400, 20])
    with pytest.raises(ValueError, match=r"0\.png is 128x96, and has a box outside"):
        run(recipe, tmp_path / "runs")


def test_a_category_that_does_not_exist_is_named(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    edit_labels(tmp_path, category_id=77)
    with pytest.raises(ValueError, match="category 77"):
        run(recipe, tmp_path / "runs")


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    (tmp_path / "2.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"2\.png"):
        run(recipe, tmp_path / "runs")


def test_an_absent_start_checkpoint_is_named(tmp_path: Path) -> None:
    start = '[start]\nweights = "no.pth"\nname = "x"\nlicence = "y"\ncommercial = true\n\n[model]'
    with pytest.raises(OSError, match=r"no checkpoint .*no\.pth"):
        run(write_recipe(tmp_path, ("[model]", start)), tmp_path / "runs")


def test_a_fine_tune_that_never_gets_better_keeps_what_it_began_with(tmp_path: Path) -> None:
    first = run(write_recipe(tmp_path), tmp_path / "runs")
    start = (
        '[start]\nweights = "runs/tiny/best.pt"\nname = "x"\nlicence = "y"\ncommercial = true\n'
        "remember = true\n\n[model]"
    )
    second = run(write_recipe(tmp_path, ("[model]", start)), tmp_path / "runs", name="tuned")
    kept = load_checkpoint(second.folder / "best.pt")
    began = load_checkpoint(first.folder / "best.pt")
    assert [source.name for source in kept.provenance.sources] == ["x", "squares"]
    assert all((kept.weights[name] == began.weights[name]).all() for name in began.weights)
