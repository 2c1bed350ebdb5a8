"""The search: it finds what is known to be right, keeps to its limits, and goes on where it was."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stopline.export.quantize.layers import int8_share
from stopline.export.quantize.mixed import mixed_precision
from stopline.export.quantize.search import SearchSettings
from stopline.export.quantize.trials import FILE, Of, trials_in
from stopline.export.raw import ExportError
from tests.conftest import ROOT
from tests.export.quantize.small import (
    BAD,
    LAYERS,
    NoiseScore,
    TableScore,
    searched,
    small_calibration,
    small_model,
    small_recipe,
)


def test_exactly_the_layer_that_cannot_be_int8_stays_in_float(tmp_path: Path) -> None:
    found = searched(tmp_path, NoiseScore())
    assert found.reached
    assert found.float_layers == (BAD,)
    assert found.score >= 0.99
    assert found.harms[0].layer == BAD
    written = small_recipe().model(found.float_layers)
    assert found.int8_macs == pytest.approx(int8_share(written)), "the graph itself says so"


def test_without_that_layer_in_float_the_score_is_not_reached(tmp_path: Path) -> None:
    trials = {trial.float_layers: trial for trial in searched(tmp_path, NoiseScore()).trials}
    assert trials[()].score < 0.9


def test_a_detector_that_quantizing_does_not_hurt_keeps_nothing_in_float(tmp_path: Path) -> None:
    found = searched(tmp_path, TableScore(dict.fromkeys(LAYERS, 0.0)))
    assert (found.float_layers, found.int8_macs, found.reached) == ((), 1.0, True)


def test_a_score_that_nothing_reaches_ends_with_the_best_and_says_so(tmp_path: Path) -> None:
    found = searched(tmp_path, NoiseScore(ceiling=0.8))
    assert not found.reached
    assert found.score == 0.8
    assert "not even with every layer in float" in found.why


def test_the_floor_of_int8_is_kept_and_what_it_costs_is_said(tmp_path: Path) -> None:
    lost = dict.fromkeys(LAYERS, 0.0) | {"net/wide": 0.05, "net/good": 0.03}
    settings = SearchSettings(wanted=0.99, least_int8=0.7)
    found = searched(tmp_path, TableScore(lost), settings)
    assert not found.reached, "net/wide is more than a third of all"
    assert found.int8_macs >= 0.7
    assert found.float_layers == ("net/good",), "the most that the floor leaves room for"
    assert found.score == pytest.approx(0.95)
    without_floor = searched(tmp_path / "b", TableScore(lost))
    assert without_floor.float_layers == ("net/good", "net/wide")
    assert f"was reached with {without_floor.int8_macs:.1%}" in found.why


def test_a_large_layer_does_not_take_the_room_of_two_that_are_enough(tmp_path: Path) -> None:
    """Of harm per multiply-accumulate net/wide has the most, and in float it is enough alone."""
    lost = dict.fromkeys(LAYERS, 0.0) | {"net/wide": 0.06, "net/good": 0.018, BAD: 0.018}
    found = searched(tmp_path, TableScore(lost), SearchSettings(wanted=0.93, least_int8=0.5))
    assert found.harms[0].layer == "net/wide"
    assert found.float_layers == (BAD, "net/good")
    assert found.int8_macs > 0.7


def test_noise_in_the_score_does_not_keep_a_harmless_layer(tmp_path: Path) -> None:
    """net/head looks worse alone than it is with the others: the way back finds it."""
    lost = dict.fromkeys(LAYERS, 0.0) | {BAD: 0.2, "net/head": 0.004}
    found = searched(tmp_path, TableScore(lost))
    assert found.float_layers == (BAD,)


def test_a_finished_search_is_repeated_without_a_trial(tmp_path: Path) -> None:
    first = NoiseScore()
    found = searched(tmp_path, first)
    again, said = NoiseScore(), list[str]()
    repeated = searched(tmp_path, again, said=said)
    assert first.asked > 5
    assert again.asked == 0
    assert (repeated.float_layers, repeated.why) == (found.float_layers, found.why)
    assert f"going on after {len(found.trials)} trials" in said[0]


def test_a_killed_search_goes_on_without_repeating_a_trial(tmp_path: Path) -> None:
    whole = NoiseScore()
    wanted = searched(tmp_path / "whole", whole)
    log = tmp_path / "killed" / FILE
    _killed_after(log, lines=9)
    known = len(log.read_bytes().splitlines()) - 1
    assert 8 <= known < whole.asked, "it was killed in the middle"
    rest = NoiseScore()
    found = searched(tmp_path / "killed", rest)
    assert found.float_layers == wanted.float_layers
    assert found.score == wanted.score
    assert rest.asked == whole.asked - known


def _killed_after(log: Path, lines: int) -> None:
    """A search in a process of its own, killed without warning when it has written that much."""
    program = ROOT / "tests" / "export" / "quantize" / "small.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(program), str(log.parent), "0.3"]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        deadline = time.monotonic() + 60
        while not log.exists() or log.read_bytes().count(b"\n") < lines:
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)


def test_a_torn_line_is_dropped_and_measured_again(tmp_path: Path) -> None:
    first = NoiseScore()
    found = searched(tmp_path, first)
    log = tmp_path / FILE
    log.write_bytes(log.read_bytes()[:-7])
    again = NoiseScore()
    assert searched(tmp_path, again).float_layers == found.float_layers
    assert again.asked == 1
    assert all(json.loads(line) for line in log.read_text().splitlines())


def test_another_score_starts_anew_and_says_so(tmp_path: Path) -> None:
    searched(tmp_path, NoiseScore())
    other, said = NoiseScore(about="1 - noise, of other images"), list[str]()
    searched(tmp_path, other, said=said)
    assert other.asked > 5
    assert "of another graph or score: starting anew" in said[0]


def test_another_wish_uses_the_same_trials(tmp_path: Path) -> None:
    first = NoiseScore()
    searched(tmp_path, first)
    again = NoiseScore()
    assert searched(tmp_path, again, SearchSettings(wanted=0.5)).reached
    assert again.asked < first.asked


def test_two_searches_in_one_folder_are_refused(tmp_path: Path) -> None:
    with trials_in(tmp_path, Of("a graph", "a score")), pytest.raises(ExportError, match="another"):
        searched(tmp_path, NoiseScore())


def test_a_share_above_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="least_int8 is 80: wanted a share"):
        searched(tmp_path, NoiseScore(), SearchSettings(least_int8=80))


def test_it_says_how_far_it_is(tmp_path: Path) -> None:
    said = list[str]()
    searched(tmp_path, NoiseScore(), said=said)
    shares = [float(line.split()[0]) for line in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(BAD in line for line in said)


def test_what_is_found_is_fitted_once_more_and_scored(tmp_path: Path) -> None:
    said = list[float]()
    score = NoiseScore()
    made = mixed_precision(
        small_model(),
        small_calibration(),
        score,
        SearchSettings(),
        (tmp_path, lambda text, done: said.append(done)),
    )
    assert made.found.float_layers == made.int8.float_layers == (BAD,)
    assert made.score == score(made.int8.model) >= 0.99
    assert made.int8.int8_macs == pytest.approx(made.found.int8_macs)
    assert said == sorted(said)
