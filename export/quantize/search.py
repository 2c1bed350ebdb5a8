"""Mixed precision by measurement: the fewest multiply-accumulates in float that keep the score.

1. Each layer alone in INT8: how much harm it does (`sensitivity`).
2. Layers go to float in the order of the harm that each multiply-accumulate avoids, until the
   score is reached; how many that takes is found by bisection.
3. The same without the largest of them, as what it costs may buy several others.
4. Backwards from the better of the two: layers return to INT8 while the score stays, those first
   that free the most multiply-accumulates for their harm, until several in a row cannot.

Accuracy is no sum of the harm of layers, so the result is the best that was found, not the best
there is. And a score of a hundred images has chance in it, of which the best of many trials has
more than its share: want a little more here than the gate does.

Prepare with all layers in float, so that each is fitted to what FP32 gives it. Where layers make up
for those before them in INT8, moving one of those to float makes the answer worse: road-nano fell
from 98 % of FP32 to 95 % so. Then prepare once more with the choice that was found.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from stopline.export.quantize.bench import Bench, OnStep, Prepared
from stopline.export.quantize.score import Score
from stopline.export.quantize.sensitivity import Harm, harms
from stopline.export.quantize.trials import Of, Trial, trials_in
from stopline.export.raw import ExportError

HARMS_DONE, PATHS_DONE = 0.5, 0.75  # share of the work, about


@dataclass(frozen=True)
class SearchSettings:
    """`wanted` is a share of FP32's score, `least_int8` one of the multiply-accumulates."""

    wanted: float = 0.99
    least_int8: float = 0.0
    measured_alone: int = 8  # layers
    patience: int = 4  # layers in a row that cannot return to INT8, before no other is tried
    most_trials: int = 150  # of the score; at the end, the best so far is given


@dataclass(frozen=True)
class Found:
    """The best choice. `reached` says whether it is what was wanted, `why` says it in words."""

    float_layers: tuple[str, ...]
    score: float
    int8_macs: float
    reached: bool
    why: str
    settings: SearchSettings
    trials: tuple[Trial, ...]  # all that were made, for the plot
    harms: tuple[Harm, ...]  # of every layer, the one most worth keeping in float first


def search(
    prepared: Prepared,
    score: Score,
    settings: SearchSettings,
    work: Path,
    on_step: OnStep = lambda text, done: None,
) -> Found:
    """Try choices of float layers; each is logged in `work`, and an interrupted search goes on.

    Raises ExportError if another search is writing there, OSError if nothing can be written.
    """
    _refuse_impossible(settings)
    with trials_in(work, Of(_hash_of(prepared), score.about)) as trials:
        if trials.begun_anew:
            on_step(f"the trials in {work} are of another graph or score: starting anew", 0.0)
        elif trials.resumed:
            on_step(f"going on after {trials.resumed} trials", 0.0)
        bench = Bench(prepared, score, trials)
        ranked = harms(
            bench,
            settings.measured_alone,
            lambda text, done: on_step(text, HARMS_DONE * done),
        )
        _try_paths(bench, ranked, settings, on_step)
        best = _best(bench.done, settings)
        _return_to_int8(bench, best, ranked, (settings, on_step))
        if not _reaches(best, settings):
            _try_beyond(bench, ranked, settings, on_step)
        on_step("searched", 1.0)
        return _found(bench, ranked, settings)


def _refuse_impossible(settings: SearchSettings) -> None:
    for name in ("wanted", "least_int8"):
        value = getattr(settings, name)
        if not 0 <= value <= 1:
            raise ExportError(f"{name} is {value}: wanted a share, 0 to 1")


def _try_paths(
    bench: Bench, ranked: Sequence[Harm], settings: SearchSettings, on_step: OnStep
) -> None:
    on_step("how many layers in float it takes", HARMS_DONE)
    path = _path(ranked, 1 - settings.least_int8)
    _first_to_reach(bench, path, settings)
    if not path[-1]:
        return
    largest = max(path[-1], key=lambda name: bench.share([name]))
    on_step(f"how many it takes if {largest} is INT8", (HARMS_DONE + PATHS_DONE) / 2)
    others = [harm for harm in ranked if harm.layer != largest]
    _first_to_reach(bench, _path(others, 1 - settings.least_int8), settings)


def _path(ranked: Sequence[Harm], most_float: float) -> list[frozenset[str]]:
    """From no layer in float to as many as there is room for, each choice within the next."""
    path: list[frozenset[str]] = [frozenset()]
    used = 0.0
    for harm in ranked:
        if used + harm.macs <= most_float + 1e-9:
            used += harm.macs
            path.append(path[-1] | {harm.layer})
    return path


def _first_to_reach(bench: Bench, path: Sequence[frozenset[str]], settings: SearchSettings) -> None:
    """Bisect; what was measured on the way is in the trials."""
    low, high = 0, len(path) - 1
    if bench.trial(path[high]).score < settings.wanted:
        return
    while low < high:
        middle = (low + high) // 2
        if bench.trial(path[middle]).score >= settings.wanted:
            high = middle
        else:
            low = middle + 1


def _return_to_int8(
    bench: Bench, best: Trial, ranked: Sequence[Harm], how: tuple[SearchSettings, OnStep]
) -> None:
    """Layer by layer, as long as that keeps what is reached."""
    settings, on_step = how
    target = min(best.score, settings.wanted)
    kept = set(best.float_layers)
    order = [harm.layer for harm in reversed(ranked) if harm.layer in kept]
    failed = 0
    for at, name in enumerate(order):
        if failed == settings.patience or bench.asked >= settings.most_trials:
            return
        done = PATHS_DONE + (1 - PATHS_DONE) * at / len(order)
        on_step(f"{name} back to INT8, {at + 1} of {len(order)}", done)
        if bench.trial(kept - {name}).score >= target:
            kept.discard(name)
            failed = 0
        else:
            failed += 1


def _try_beyond(
    bench: Bench, ranked: Sequence[Harm], settings: SearchSettings, on_step: OnStep
) -> None:
    """What the score would take if there were no floor, so that the refusal can say it."""
    if settings.least_int8 > 0:
        on_step("what it would take with fewer layers in INT8", PATHS_DONE)
        _first_to_reach(bench, _path(ranked, 1.0), settings)


def _best(trials: Collection[Trial], settings: SearchSettings) -> Trial:
    """Within the floor: of those that reach the score the most in INT8, else the highest score."""
    within = [trial for trial in trials if trial.int8_macs >= settings.least_int8 - 1e-9]
    reach = [trial for trial in within if trial.score >= settings.wanted]
    if reach:
        return max(reach, key=lambda trial: (trial.int8_macs, -len(trial.float_layers)))
    return max(within, key=lambda trial: (trial.score, trial.int8_macs))


def _reaches(trial: Trial, settings: SearchSettings) -> bool:
    return trial.score >= settings.wanted


def _found(bench: Bench, ranked: tuple[Harm, ...], settings: SearchSettings) -> Found:
    best = _best(bench.done, settings)
    return Found(
        float_layers=best.float_layers,
        score=best.score,
        int8_macs=best.int8_macs,
        reached=_reaches(best, settings),
        why=_why(bench, best, settings),
        settings=settings,
        trials=bench.done,
        harms=ranked,
    )


def _why(bench: Bench, best: Trial, settings: SearchSettings) -> str:
    said = (
        f"{best.score:.1%} of FP32 with {best.int8_macs:.1%} of the multiply-accumulates in INT8 "
        f"({len(best.float_layers)} of {len(bench.layers)} layers in float), the best of "
        f"{len(bench.done)} trials"
    )
    if _reaches(best, settings):
        return said
    wanted = f"{said}; wanted {settings.wanted:.1%} with {settings.least_int8:.0%} or more"
    reach = [trial.int8_macs for trial in bench.done if trial.score >= settings.wanted]
    if reach:
        return f"{wanted}. That score was reached with {max(reach):.1%}"
    return f"{wanted}. That score was not reached, not even with every layer in float"


def _hash_of(prepared: Prepared) -> str:
    """Of the graph with every layer in INT8: its weights, ranges and rounding are all in there."""
    return hashlib.sha256(prepared.model(()).SerializeToString(deterministic=True)).hexdigest()
