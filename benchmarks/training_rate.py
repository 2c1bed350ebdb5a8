"""Steps a second of `stopline train` against a bare loop on one batch: is anything but the
network worth mentioning?

    python benchmarks/training_rate.py [--rounds 4] [--steps 8]

The bare loop does forward, loss, backward and optimiser on a batch that lies ready in memory.
Ours draws, resizes, mosaics and varies new images for each step, clips, averages the weights and
keeps its figures. Both in turn, in one process: A B A B …; the medians of the seconds for a step,
by the clock on the wall and by that of this process, which other work on the machine disturbs less.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric

from stopline.runtime.manifest import Provenance
from stopline.train.checkpoint import Checkpoint
from stopline.train.dataset import Batches
from stopline.train.loop import Run, Scores, train
from stopline.train.losses import losses_of
from stopline.train.optimiser import make_optimiser
from stopline.train.recipe import Recipe, read_recipe
from stopline.train.sources import Places, open_training
from stopline.train.yolox import Yolox, grid_of

IMAGES, OBJECTS = 32, 6
RECIPE = """
name = "rate"
classes = ["person", "car"]
input = [416, 416]

[optimise]
steps = 1000000
batch = 8

[[sources]]
kind = "coco"
name = "noise"
licence = "CC0-1.0"
commercial = true
annotations = "labels.json"
images = "."

[validate]
every = 1000000

[validate.source]
kind = "coco"
name = "noise"
licence = "CC0-1.0"
commercial = true
annotations = "labels.json"
images = "."
"""


def write_images(folder: Path) -> None:
    """640x480 noise with boxes on it, as COCO."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(IMAGES):
        small = rng.integers(0, 255, (30, 40, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.jpg"), cv2.resize(small, (640, 480)))
        images.append({"id": index, "file_name": f"{index}.jpg", "width": 640, "height": 480})
        for _ in range(OBJECTS):
            w, h = rng.integers(30, 200, 2).tolist()
            box = [int(rng.integers(0, 640 - w)), int(rng.integers(0, 480 - h)), w, h]
            category = int(rng.integers(1, 3))
            annotations.append({"image_id": index, "category_id": category, "bbox": box})
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}]
    labels = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(labels))


Clocks = tuple[float, float]  # seconds on the wall, seconds of all the threads of this process


def clocks() -> Clocks:
    """Now."""
    return time.perf_counter(), time.process_time()


def between(times: list[Clocks]) -> list[Clocks]:
    """The seconds from each to the next."""
    return [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(times)]


def ours(recipe: Recipe, batches: Batches, folder: Path, steps: int) -> list[Clocks]:
    """For each of `steps` steps of the real loop, the first left out."""
    times: list[Clocks] = []

    def after_a_step() -> bool:
        times.append(clocks())
        return len(times) > steps

    def unmeasured(checkpoint: Checkpoint) -> Scores:
        return {"AP": None, "AP50": None}

    facts = Provenance(created="2026-01-01T00:00:00+00:00", stopline="0", command="benchmark")
    run = Run(recipe, folder, facts, unmeasured, lambda row: None, after_a_step)
    fabric = Fabric(accelerator="cpu", devices=1)
    train(run, fabric, Yolox(len(recipe.classes), recipe.model), batches, False)
    return between(times)


def bare(recipe: Recipe, batches: Batches, steps: int) -> list[Clocks]:
    """For each of `steps` steps of what has to be done at least."""
    model = Yolox(len(recipe.classes), recipe.model).to(memory_format=torch.channels_last).train()
    optimiser, grid = make_optimiser(recipe.optimise, model), grid_of(recipe.input)
    frames, marks = batches[0]
    images = frames.float()
    times: list[Clocks] = []
    for _ in range(steps + 1):
        losses = losses_of(model(images), grid, marks)
        torch.autograd.backward(losses.total(losses.cells))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        times.append(clocks())
    return between(times)


def main() -> None:
    """Print the two medians and their ratio, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=8)
    wanted = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_images(folder)
        (folder / "rate.toml").write_text(RECIPE)
        recipe = read_recipe(folder / "rate.toml")
        sources = open_training(recipe, Places(folder, folder), lambda what, of: lambda: None)
        batches = Batches(recipe, sources)
        batches.decode_all(lambda what, of: lambda: None)
        pairs = [
            (ours(recipe, batches, folder, wanted.steps), bare(recipe, batches, wanted.steps))
            for _ in range(wanted.rounds)
        ]
    figures = {
        clock: (
            statistics.median(one[index] for a, _ in pairs for one in a),
            statistics.median(one[index] for _, b in pairs for one in b),
        )
        for index, clock in enumerate(("wall", "cpu"))
    }
    told = {
        clock: {"ours_s": round(mine, 4), "bare_s": round(bare_s, 4), "rate": bare_s / mine}
        for clock, (mine, bare_s) in figures.items()
    }
    conditions = {"steps": wanted.rounds * wanted.steps, "threads": torch.get_num_threads()}
    print(json.dumps({**told, **conditions, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
