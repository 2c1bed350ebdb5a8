"""The sources of a recipe, opened: images with their marks, ready to be drawn from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stopline.devices.coco import CocoSet, LabelledImage, read_coco
from stopline.runtime import manifest
from stopline.train.checkpoint import load_weights, start_from
from stopline.train.dataset import Drawn, rare_first
from stopline.train.labels import marks_of
from stopline.train.memory import Memory
from stopline.train.recipe import CocoSource, Recipe, SimSource, Source, Start
from stopline.train.simulated import render_streets
from stopline.train.yolox import Yolox

Tick = Callable[[], None]
Progress = Callable[[str, int], Tick]  # what is done, of how many → call it after each


@dataclass(frozen=True)
class Places:
    """Where a run reads from and keeps things."""

    data: Path  # what the paths in a recipe are relative to
    cache: Path  # what can be made again: rendered streets


def open_training(recipe: Recipe, places: Places, progress: Progress) -> list[Drawn]:
    """Every source of the recipe; a class that no source labels is refused."""
    sets = [open_source(source, places, progress) for source in recipe.sources]
    _refuse_unlabelled_classes(recipe, sets)
    return [
        _drawn(source, opened.images, recipe.classes)
        for source, opened in zip(recipe.sources, sets, strict=True)
    ]


def open_source(source: Source, places: Places, progress: Progress) -> CocoSet:
    """The images of a source and their labels, as they are on disk."""
    if isinstance(source, SimSource):
        return render_streets(source, places.cache, progress)
    whole = read_coco(places.data / source.annotations, places.data / source.images)
    if source.source is None:
        return whole
    images = tuple(image for image in whole.images if image.source == source.source)
    if not images:
        found = ", ".join(sorted({str(image.source) for image in whole.images}))
        raise ValueError(
            f"{whole.name} has no image whose source is {source.source!r}; found {found}"
        )
    return replace(whole, images=images)


def provenance_sources(recipe: Recipe, sizes: Sequence[int]) -> tuple[manifest.Source, ...]:
    """What the weights are made from, the start weights first; `sizes` counts images."""
    made_from = [
        manifest.Source(
            name=s.name, licence=s.licence, commercial=s.commercial, images=n, url=s.url
        )
        for s, n in zip(recipe.sources, sizes, strict=True)
    ]
    start = recipe.start
    if start is None:
        return tuple(made_from)
    began = manifest.Source(
        name=start.name, licence=start.licence, commercial=start.commercial, url=start.url
    )
    return (began, *made_from)


def load_start(model: Yolox, start: Start, places: Places, classes: tuple[str, ...]) -> None:
    """Fill `model`, a detector of `classes`, with the start weights of the recipe."""
    state, has = load_weights(places.data / start.weights, start.classes)
    start_from(model, state, has, classes)


def open_memory(recipe: Recipe, places: Places) -> Memory | None:
    """The start weights, if the recipe says to remember them."""
    if recipe.start is None or not recipe.start.remember:
        return None
    state, has = load_weights(places.data / recipe.start.weights, recipe.start.classes)
    model = Yolox(len(has), recipe.model)
    start_from(model, state, has, has)
    return Memory(model, has, recipe.classes)


def _drawn(source: Source, images: Sequence[LabelledImage], classes: Sequence[str]) -> Drawn:
    marks = [marks_of(image, classes) for image in images]
    rare = source.rare if isinstance(source, CocoSource) else 0.0
    return Drawn(images, marks, rare_first(images, rare), source.weight, source.zoom)


def _refuse_unlabelled_classes(recipe: Recipe, sets: Sequence[CocoSet]) -> None:
    labelled = {name for opened in sets for image in opened.images for name in image.names}
    for name in recipe.classes:
        if name not in labelled:
            raise ValueError(
                f"class {name!r} has no box in any source; found {', '.join(sorted(labelled))}"
            )
