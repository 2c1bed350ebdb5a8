"""A searched choice of float layers made into a graph."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto

from stopline.export.quantize.bench import OnStep
from stopline.export.quantize.int8 import Calibrating, Int8, Int8Settings, int8_model, prepared
from stopline.export.quantize.layers import int8_share, layers
from stopline.export.quantize.score import Score
from stopline.export.quantize.search import Found, SearchSettings, search

PREPARED, SEARCHED = 0.15, 0.9  # share of the work, about


class Mixed(NamedTuple):
    """The graph, its score, and the search that chose its float layers."""

    int8: Int8
    score: float
    found: Found


def mixed_precision(
    model: ModelProto,
    calibration: Calibrating,
    score: Score,
    settings: SearchSettings,
    how: tuple[Path, OnStep],
) -> Mixed:
    """Search with each layer fitted to what FP32 gives it, then fit all to the choice found.

    `how` is the folder of the trials, and what is told of the progress. The second fitting lowers
    the noise; where the score says otherwise, the graph of the search is given. Whether the score
    was reached is in `found`. Raises as `int8.prepared` and `search` do.
    """
    work, on_step = how
    neutral = Int8Settings(float_layers=frozenset(layer.name for layer in layers(model)))
    recipe = prepared(model, calibration, neutral, _part(on_step, 0.0, PREPARED))
    found = search(recipe, score, settings, work, _part(on_step, PREPARED, SEARCHED))
    chosen = Int8Settings(float_layers=frozenset(found.float_layers))
    fitted = int8_model(model, calibration, chosen, _part(on_step, SEARCHED, 1.0))
    scored = score(fitted.model)
    if scored >= min(settings.wanted, found.score):
        return Mixed(fitted, scored, found)
    plain = recipe.model(found.float_layers)
    return Mixed(Int8(plain, int8_share(plain), found.float_layers), found.score, found)


def _part(on_step: OnStep, start: float, end: float) -> Callable[[str, float], None]:
    return lambda text, done: on_step(text, start + (end - start) * done)
