"""Training, from top to bottom."""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader

from stopline.runtime.manifest import Provenance
from stopline.train.average import Average, blended
from stopline.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from stopline.train.dataset import Batch, Batches
from stopline.train.history import History, Row, read_rows
from stopline.train.losses import Losses, losses_of
from stopline.train.marks import Marks
from stopline.train.memory import Memory
from stopline.train.optimiser import freeze_batchnorm, learning_rate, make_optimiser
from stopline.train.recipe import Recipe
from stopline.train.yolox import Grid, Yolox, grid_of

LOG_EVERY = 20  # steps
Scores = dict[str, float | None]  # AP, AP50, AP75 and `AP50 <class>`


@dataclass(frozen=True, eq=False)
class Run:
    """One run: what it does, where it keeps it, whom it asks and tells."""

    recipe: Recipe
    folder: Path
    provenance: Provenance
    validate: Callable[[Checkpoint], Scores]
    report: Callable[[Row], None]  # after every LOG_EVERY steps and every validation
    stopped: Callable[[], bool]  # whether someone asked to stop; asked after each step
    memory: Memory | None = None  # of the start weights, if the recipe says to remember


@dataclass(eq=False)
class State:
    """Where a run stands: all that changes from step to step."""

    model: Yolox
    average: Average
    optimiser: torch.optim.Optimizer
    history: History
    start: dict[str, Tensor]  # the weights before the first step
    step: int = 0  # the next to do
    best: float = -1.0  # AP
    earlier_s: float = 0.0  # spent before it was resumed
    window: list[Losses] = field(default_factory=list)  # since the last report


def train(run: Run, fabric: Fabric, model: Yolox, batches: Batches, resume: bool) -> State:
    """Where the run ended: after all its steps, or where it was asked to stop."""
    optimise, began = run.recipe.optimise, time.monotonic()
    model.to(fabric.device).to(memory_format=torch.channels_last)
    now = _begin(run, fabric, model, resume)
    network, optimiser = fabric.setup(model, now.optimiser)
    if now.step == 0 and run.recipe.start is not None:
        _validate(run, fabric, now)  # a fine-tune that never beats its start keeps the start
    model.train()
    if optimise.freeze_batchnorm:
        freeze_batchnorm(model)
    for frames, marks in _stream(batches, now.step, fabric.device):
        torch.manual_seed(run.recipe.seed * 1_000_003 + now.step)  # for backbones with dropout
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(optimise, now.step)
        raw = network(frames)
        late = now.step >= run.recipe.augment.until * optimise.steps
        recalled = run.memory.recall(frames) if run.memory is not None else None
        losses = losses_of(raw, _grid(frames), marks, recalled, late)
        fabric.backward(_finite(losses.total(_mean_cells(fabric, losses)), now.step))
        fabric.clip_gradients(network, optimiser, max_norm=optimise.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        now.average.follow(model, now.step)
        now.step += 1
        now.window.append(losses.detach())
        if not _go_on(run, fabric, now, now.earlier_s + time.monotonic() - began):
            break
    return now


def _go_on(run: Run, fabric: Fabric, now: State, seconds: float) -> bool:
    """What happens after a step; False when it was the last, or someone asked to stop."""
    last = now.step == run.recipe.optimise.steps
    if last or now.step % LOG_EVERY == 0:
        _log(run, fabric, now, seconds)
    measured = last or now.step % run.recipe.validate.every == 0
    if measured:
        _validate(run, fabric, now)
    if last:
        return False
    stop = _asked_to_stop(run, fabric)
    if stop and not measured:
        _keep_last(run, fabric, now)
    return not stop


def _begin(run: Run, fabric: Fabric, model: Yolox, resume: bool) -> State:
    optimise = run.recipe.optimise
    optimiser = make_optimiser(optimise, model)
    history = History(run.folder / "metrics.csv", run.recipe.classes)
    start = {name: weights.clone() for name, weights in model.state_dict().items()}
    now = State(model, Average(model, optimise.ema), optimiser, history, start)
    if resume:
        _resume(run, now)
    if fabric.is_global_zero:
        history.start(history.rows)
    return now


def _resume(run: Run, now: State) -> None:
    saved = load_checkpoint(run.folder / "last.pt")
    if saved.training is None:
        raise ValueError(f"{run.folder / 'last.pt'} holds weights only: nothing to resume")
    now.step, now.best = saved.training["step"], saved.training["best"]
    now.model.load_state_dict(saved.training["model"])
    now.optimiser.load_state_dict(saved.training["optimiser"])
    now.average.load(saved.weights)
    rows = [row for row in read_rows(now.history.path) if (row["step"] or 0) <= now.step]
    now.history.rows = rows
    now.earlier_s = next((row["seconds"] for row in rows[::-1] if row["seconds"]), 0.0)


def _stream(
    batches: Batches, first: int, device: torch.device
) -> Iterator[tuple[Tensor, list[Marks]]]:
    """Images (n, 3, h, w) float32 and their marks on the device, from step `first` on.

    On a CPU the cores are busy with the network: preparing images beside it would only take turns
    with it, so they are prepared in between (3 % of the time). A GPU is fed by other processes.
    """
    workers = 0 if device.type == "cpu" else min(8, len(os.sched_getaffinity(0)))
    steps: Any = range(first, len(batches))  # any iterable of keys is a sampler
    loader: DataLoader[Batch] = DataLoader(
        batches, batch_size=None, sampler=steps, num_workers=workers, collate_fn=_as_it_is
    )
    for frames, marks in loader:
        yield frames.to(device).float(), [m.to(device) for m in marks]


def _as_it_is(batch: Any) -> Any:
    return batch


def _grid(frames: Tensor) -> Grid:
    return _grid_for((frames.shape[2], frames.shape[3]), frames.device)


@lru_cache(maxsize=32)
def _grid_for(input_hw: tuple[int, int], device: torch.device) -> Grid:
    return grid_of(input_hw, device)


def _mean_cells(fabric: Fabric, losses: Losses) -> Tensor:
    """Gradients are averaged over processes, so each divides by the mean number of cells."""
    if fabric.world_size == 1:
        return losses.cells
    mean = fabric.all_reduce(losses.cells, reduce_op="mean")
    assert isinstance(mean, Tensor)
    return mean


def _finite(loss: Tensor, step: int) -> Tensor:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise ValueError(f"the loss is {value} at step {step}: lower optimise.lr in the recipe")
    return loss


def _log(run: Run, fabric: Fabric, now: State, seconds: float) -> None:
    cells = sum(float(losses.cells) for losses in now.window) or 1.0
    parts = {
        name: sum(float(getattr(losses, name)) for losses in now.window) / cells
        for name in ("box", "there", "kind", "l1", "kept")
    }
    total = sum(float(losses.total(losses.cells)) for losses in now.window) / len(now.window)
    now.window.clear()
    lr = learning_rate(run.recipe.optimise, now.step - 1)
    _tell(run, fabric, now, {"seconds": round(seconds, 1), "lr": lr, "loss": total, **parts})


def _tell(run: Run, fabric: Fabric, now: State, figures: Row) -> None:
    if fabric.is_global_zero:
        row = {"step": now.step, **figures}
        now.history.add(row)
        run.report(row)


def _validate(run: Run, fabric: Fabric, now: State) -> None:
    """Measure the average and its blends with the start, and keep what is better than the best."""
    if fabric.is_global_zero:
        blends = run.recipe.validate.blends if now.step else (1.0,)
        measured = [(way, _measured(run, now, way)) for way in blends]
        way, scores = max(measured, key=lambda one: one[1]["AP"] or 0.0)
        _tell(run, fabric, now, {**scores, "blend": way})
        now.history.draw(run.folder / "curves.png")
    _keep_last(run, fabric, now)


def _measured(run: Run, now: State, way: float) -> Scores:
    checkpoint = _checkpoint(run, blended(now.start, now.average.state, way))
    scores = run.validate(checkpoint)
    ap = scores["AP"] or 0.0
    if ap > now.best:
        now.best = ap
        save_checkpoint(run.folder / "best.pt", checkpoint)
    return scores


def _keep_last(run: Run, fabric: Fabric, now: State) -> None:
    if fabric.is_global_zero:
        training = {
            "step": now.step,
            "best": now.best,
            "model": now.model.state_dict(),
            "optimiser": now.optimiser.state_dict(),
        }
        last = _checkpoint(run, now.average.state, training)
        save_checkpoint(run.folder / "last.pt", last)
    fabric.barrier()


def _checkpoint(
    run: Run, weights: dict[str, Tensor], training: dict[str, Any] | None = None
) -> Checkpoint:
    recipe = run.recipe
    return Checkpoint(recipe.classes, recipe.model, recipe.input, run.provenance, weights, training)


def _asked_to_stop(run: Run, fabric: Fabric) -> bool:
    """Whether any process was asked to: all must stop after the same step."""
    mine = run.stopped()
    if fabric.world_size == 1:
        return mine
    anyone = fabric.all_reduce(torch.tensor(float(mine), device=fabric.device), reduce_op="sum")
    return float(anyone) > 0  # type: ignore[arg-type]
