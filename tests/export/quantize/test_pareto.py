"""The picture of a search, and the frontier it shows."""

from pathlib import Path

import cv2
import pytest

from stopline.export.quantize.pareto import frontier, moved, pareto_png
from stopline.export.quantize.search import SearchSettings
from stopline.export.quantize.trials import Trial
from stopline.runtime.cameras.image_files import read_image
from tests.export.quantize.small import LAYERS, NoiseScore, TableScore, searched


def trial(int8_macs: float, score: float, *float_layers: str) -> Trial:
    return Trial(float_layers, int8_macs, score, 0.0)


ALL_INT8, BETTER, BEATEN, BEST = (
    trial(1.0, 0.1),
    trial(0.9, 0.9, "net/a", "net/b"),
    trial(0.8, 0.85, "net/c"),
    trial(0.7, 0.99, "net/b", "net/c"),
)


def test_the_frontier_is_what_nothing_beats() -> None:
    assert frontier([BEATEN, BEST, ALL_INT8, BETTER]) == (ALL_INT8, BETTER, BEST)
    assert frontier([]) == ()
    assert frontier([BEST, trial(0.7, 0.98, "net/z")]) == (BEST,)


def test_each_step_names_what_moved() -> None:
    assert moved([ALL_INT8, BETTER, BEST]) == ("", "+a +b", "+c \N{MINUS SIGN}a")
    many = trial(0.5, 1.0, *(f"net/{at}" for at in range(9)))
    assert moved([many]) == ("+0 +1 +2 +3 +4 and 4 more",)


@pytest.mark.parametrize("ceiling", [1.0, 0.8])
def test_a_search_becomes_a_picture(tmp_path: Path, ceiling: float) -> None:
    found = searched(tmp_path, NoiseScore(ceiling=ceiling), SearchSettings(least_int8=0.5))
    where = tmp_path / "pareto.png"
    pareto_png(found, where)
    drawn = read_image(where)
    assert drawn.shape[0] > 500
    reds = cv2.inRange(drawn, (80, 70, 200), (100, 90, 215))
    assert reds.any(), "the star of what was chosen"


def test_one_point_is_a_picture_too(tmp_path: Path) -> None:
    """A detector that INT8 does not hurt."""
    pareto_png(searched(tmp_path, TableScore(dict.fromkeys(LAYERS, 0.0))), tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    found = searched(tmp_path, TableScore(dict.fromkeys(LAYERS, 0.0)))
    with pytest.raises(OSError, match="absent"):
        pareto_png(found, tmp_path / "absent" / "pareto.png")
