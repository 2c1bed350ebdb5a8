"""A training run from the recipe's file to its folder: opens, composes, resumes, stops."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import cv2
import msgspec
import torch
from lightning_fabric import Fabric

import stopline
from stopline.runtime.manifest import Provenance
from stopline.train.checkpoint import Checkpoint
from stopline.train.dataset import Batches, Drawn
from stopline.train.history import Row
from stopline.train.loop import Run, Scores, train
from stopline.train.recipe import Recipe, read_recipe
from stopline.train.sources import (
    Places,
    Progress,
    load_start,
    open_memory,
    open_training,
    provenance_sources,
)
from stopline.train.yolox import Yolox


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    recipe: Path
    out: Path = Path("runs")
    name: str | None = None  # of the run; the recipe's own otherwise
    data: Path | None = None  # what paths in the recipe are relative to; its folder otherwise
    resume: bool = False
    command: str = "stopline train"  # for the provenance


@dataclass(frozen=True)
class Outcome:
    """What a run left. `finished` is False when it was stopped and can be resumed."""

    folder: Path
    finished: bool
    step: int
    AP: float  # of best.pt
    shippable: bool  # whether every source allows commercial use
    first_process: bool  # of those that torchrun started: the one to speak

    def as_json(self) -> dict[str, str | bool | int | float]:
        """The same for machines."""
        return {
            "folder": str(self.folder),
            "finished": self.finished,
            "step": self.step,
            "AP": self.AP,
            "shippable": self.shippable,
        }


Validator = Callable[[Checkpoint], Scores]
MakeValidator = Callable[[Recipe, Places, Progress], Validator]


def run_training(
    request: Request,
    make_validator: MakeValidator,
    progress: Progress,
    report: Callable[[Row], None],
) -> Outcome:
    """Train as the recipe says. Raises ValueError or OSError with one line on what to change."""
    recipe = read_recipe(request.recipe)
    folder = request.out / (request.name or recipe.name)
    fabric = make_fabric()
    places = Places(request.data or request.recipe.parent, request.out / "cache")
    if recipe.optimise.batch < fabric.world_size:
        raise ValueError(
            f"a batch of {recipe.optimise.batch} is too small for {fabric.world_size} processes: "
            "raise optimise.batch in the recipe"
        )
    _claim(folder, request, recipe, fabric)
    cv2.setNumThreads(0)  # the cores are the network's
    if not fabric.is_global_zero:
        progress = _silent
    with _one_after_another(fabric):
        sources = open_training(recipe, places, progress)
        validate = make_validator(recipe, places, progress)
    model = _model(recipe, places)
    batches = Batches(recipe, sources, fabric.global_rank, fabric.world_size)
    batches.decode_all(progress)
    provenance = _provenance(recipe, request, sources)
    with _until_interrupted() as stopped:
        memory = open_memory(recipe, places)
        run = Run(recipe, folder, provenance, validate, report, stopped, memory)
        end = train(run, fabric, model, batches, request.resume)
    return Outcome(
        folder=folder,
        finished=end.step == recipe.optimise.steps,
        step=end.step,
        AP=end.best,
        shippable=provenance.shippable,
        first_process=fabric.is_global_zero,
    )


def make_fabric() -> Fabric:
    """One process on the best device here, or one of those that torchrun started."""
    if torch.cuda.is_available():
        precision = "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
        accelerator = "cuda"
    else:
        precision, accelerator = "32-true", "cpu"  # bf16 is slower than float32 on most CPUs
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    nodes = int(os.environ.get("WORLD_SIZE", "1")) // local
    strategy = "ddp" if local * nodes > 1 else "auto"
    fabric = Fabric(
        accelerator=accelerator,
        devices=local,
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]  # a literal to Fabric, a str to mypy
    )
    fabric.launch()
    return fabric


def _model(recipe: Recipe, places: Places) -> Yolox:
    torch.manual_seed(recipe.seed)
    model = Yolox(len(recipe.classes), recipe.model)
    if recipe.start is not None:
        load_start(model, recipe.start, places, recipe.classes)
    return model


def _claim(folder: Path, request: Request, recipe: Recipe, fabric: Fabric) -> None:
    """Take the folder of a new run, or see that the one to resume was of the same recipe."""
    kept, last = folder / "recipe.toml", folder / "last.pt"
    if request.resume:
        if not last.is_file():
            raise FileNotFoundError(f"nothing to resume: no {str(last)!r}")
        changed = _differences(read_recipe(kept), recipe)
        if changed:
            raise ValueError(
                f"{request.recipe.name} differs from {str(kept)!r} in {', '.join(changed)}: "
                "a run is resumed as it began, so give another --name, or the old recipe"
            )
    elif last.is_file():
        raise FileExistsError(
            f"{str(folder)!r} has a run: add --resume to go on with it, or --name for another"
        )
    fabric.barrier()
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(request.recipe.read_bytes())


def _differences(one: Recipe, other: Recipe) -> list[str]:
    fields = msgspec.structs.fields(Recipe)
    return [
        field.name
        for field in fields
        if field.name != "validate"  # what is measured does not change what is learnt
        and getattr(one, field.name) != getattr(other, field.name)
    ]


def _provenance(recipe: Recipe, request: Request, sources: list[Drawn]) -> Provenance:
    return Provenance(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        stopline=stopline.__version__,
        command=request.command,
        sources=provenance_sources(recipe, [len(source.images) for source in sources]),
    )


@contextmanager
def _one_after_another(fabric: Fabric) -> Iterator[None]:
    """The first process fills the cache, the others then find it full."""
    if not fabric.is_global_zero:
        fabric.barrier()
    yield
    if fabric.is_global_zero:
        fabric.barrier()


@contextmanager
def _until_interrupted() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks once, and the run stops after its step; a second one stops at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, ask) for number in numbers]
    try:
        yield lambda: asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _silent(what: str, of: int) -> Callable[[], None]:
    return lambda: None
