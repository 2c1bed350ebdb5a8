"""How layers are ranked: by noise, unless the score of one alone says more than chance would."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from onnx import ModelProto

from stopline.export.quantize.bench import Bench
from stopline.export.quantize.sensitivity import Harm, harms
from stopline.export.quantize.trials import Of, trials_in
from tests.export.quantize.small import BAD, LAYERS, TableScore, quantized_in, small_recipe

QUIET = dict.fromkeys(LAYERS, 0.001)


@dataclass
class ScoreAlone(TableScore):
    """Where one layer alone is INT8 its score is as said here, whatever its noise."""

    alone: dict[str, float] = field(default_factory=dict)

    def __call__(self, model: ModelProto) -> float:
        layers = quantized_in(model)
        if len(layers) == 1:
            return self.alone.get(layers.pop(), 1.0)
        return super().__call__(model)


def ranked(work: Path, score: TableScore, measured: int) -> Sequence[Harm]:
    with trials_in(work, Of("small", score.about)) as trials:
        return harms(Bench(small_recipe(), score, trials), measured, lambda text, done: None)


def test_a_noisy_layer_ranks_first_though_its_score_alone_happens_to_be_good(
    tmp_path: Path,
) -> None:
    score = ScoreAlone(QUIET | {BAD: 0.2}, alone={BAD: 1.009, "net/wide": 0.993})
    first, *others = ranked(tmp_path, score, measured=5)
    assert first.layer == BAD
    assert first.lost == pytest.approx(0.2)
    assert all(harm.lost < 0.01 for harm in others), "0.993 is chance"


def test_a_score_that_falls_by_more_than_chance_counts(tmp_path: Path) -> None:
    score = ScoreAlone(QUIET, alone={"net/good": 0.5})
    first, *_ = ranked(tmp_path, score, measured=5)
    assert first.layer == "net/good"
    assert first.lost == pytest.approx(0.49)


def test_of_equal_harm_the_cheaper_layer_is_the_better_one_to_keep(tmp_path: Path) -> None:
    order = [harm.layer for harm in ranked(tmp_path, TableScore(QUIET), measured=0)]
    macs = {harm.layer: harm.macs for harm in ranked(tmp_path, TableScore(QUIET), measured=0)}
    assert [macs[layer] for layer in order] == sorted(macs.values())
