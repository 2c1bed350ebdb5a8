"""A recipe says what it means, or is refused with the line to change."""

from pathlib import Path

import pytest

from stopline.train.optimiser import learning_rate
from stopline.train.recipe import SHIPPED, Optimise, find_recipe, read_recipe
from tests.train.tiny import RECIPE


def refused(folder: Path, text: str) -> str:
    path = folder / "r.toml"
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        read_recipe(path)
    message = str(caught.value)
    assert message.startswith("r.toml")
    assert "\n" not in message
    return message


def test_an_empty_recipe_is_told_what_it_lacks(tmp_path: Path) -> None:
    assert "missing required field" in refused(tmp_path, "")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed = 3", "sede = 3", "unknown key 'sede'; did you mean 'seed'?"),
        ("lr = 0.01", "Lr = 0.01", "unknown key 'Lr' in [optimise]; did you mean 'lr'?"),
        ("licence =", "license =", "unknown key 'license' in [sources[0]]; did you mean 'licence'"),
        ("width = 0.125", "widht = 1", "unknown key 'widht' in [model]; did you mean 'width'?"),
        ("steps = 4", "steps = 0", "Expected `int` >= 1 - at `$.optimise.steps`"),
        ("[64, 96]\n", "[64, 100]\n", "multiple of 32"),
        ('kind = "coco"', 'kind = "voc"', "Invalid value 'voc'"),
        ('["sign", "car"]', '["car", "car"]', "names one twice"),
        ("seed = 3", "seed =", "is not TOML"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in RECIPE
    assert says in refused(tmp_path, RECIPE.replace(old, new, 1))


def test_an_absent_recipe_says_which_are_shipped(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="shipped with stopline: road-nano, sim-scratch"):
        read_recipe(find_recipe("no-such-recipe"))


def test_every_shipped_recipe_is_one_and_names_no_place_on_a_disk() -> None:
    for path in SHIPPED.glob("*.toml"):
        recipe = read_recipe(find_recipe(path.stem))
        assert recipe.name == path.stem
        assert all(source.commercial for source in recipe.sources)
        assert '"/' not in path.read_text()


def test_the_rate_rises_then_falls_to_its_final_share() -> None:
    optimise = Optimise(steps=100, lr=1.0, warmup=10, final=0.1)
    rates = [learning_rate(optimise, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0.1)
