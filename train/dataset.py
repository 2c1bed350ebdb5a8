"""Batches, each a pure function of the recipe's seed and the step: that is what makes a run
that was resumed, or spread over processes, see exactly what an unbroken one would have seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from stopline.devices.coco import LabelledImage, load_image
from stopline.runtime.arrays import Image
from stopline.train.marks import Marks
from stopline.train.placement import GREY, Sample, Zoom, mosaic, place
from stopline.train.recipe import Recipe
from stopline.train.variation import vary

Batch = tuple[Tensor, list[Marks]]  # (n, 3, h, w) uint8 BGR, channels last; one Marks an image
MAX_CACHE_GIB = 4.0  # of decoded pixels a process keeps


@dataclass(eq=False)
class Pixels:
    """Decoded images, no larger than training can use, kept until the budget is spent."""

    longest: int  # pixels; a longer side is shrunk to it
    left: float = MAX_CACHE_GIB * 2**30
    kept: dict[str, Image] = field(default_factory=dict)

    def of(self, image: LabelledImage) -> Image:
        """The pixels of `image`, perhaps shrunk."""
        key = str(image.path)
        pixels = self.kept.get(key)
        if pixels is None:
            pixels = self._decode(image)
            if pixels.nbytes <= self.left:
                self.left -= pixels.nbytes
                self.kept[key] = pixels
        return pixels

    def _decode(self, image: LabelledImage) -> Image:
        pixels = load_image(image)
        scale = self.longest / max(image.width, image.height)
        if scale < 1:
            wh = (round(image.width * scale), round(image.height * scale))
            pixels = np.asarray(cv2.resize(pixels, wh, interpolation=cv2.INTER_AREA), np.uint8)
        return pixels


@dataclass(frozen=True, eq=False)
class Drawn:
    """One source: its images with their marks, how often to draw it, and how large to lay it."""

    images: Sequence[LabelledImage]
    marks: Sequence[Marks]
    odds: NDArray[np.float64]  # (images,) of drawing each, summing to 1
    weight: float
    zoom: Zoom


class Batches(Dataset[Batch]):
    """`batches[step]` is the part of that step's batch that process `rank` of `ranks` works on."""

    def __init__(
        self, recipe: Recipe, sources: Sequence[Drawn], rank: int = 0, ranks: int = 1
    ) -> None:
        self.recipe = recipe
        self.sources = sources
        self.slots = range(recipe.optimise.batch)[rank::ranks]
        self.sizes = recipe.sizes or (recipe.input,)
        largest_zoom = max(source.zoom[1] for source in sources)
        longest = max(max(hw) for hw in self.sizes)
        self.pixels = Pixels(round(longest * max(1.0, largest_zoom)))
        weights = np.array([source.weight for source in sources])
        self.odds = weights / weights.sum()

    def __len__(self) -> int:
        return self.recipe.optimise.steps

    def __getitem__(self, step: int) -> Batch:
        h, w = self.sizes[int(self._rng(step).integers(len(self.sizes)))]
        frames = np.full((len(self.slots), h, w, 3), GREY, np.uint8)
        marks = []
        for canvas, slot in zip(frames, self.slots, strict=True):
            rng = self._rng(step, slot)
            laid = self._lay(canvas, rng, step)
            marks.append(vary(canvas, laid, self.recipe.augment, rng))
        # Channels last, as the network wants it.
        return torch.from_numpy(frames).permute(0, 3, 1, 2), marks

    def decode_all(self, progress: Callable[[str, int], Callable[[], None]]) -> None:
        """Decode every image now, so that one that cannot be read stops the run before it starts.

        Worker processes share what is decoded here.
        """
        images = [image for source in self.sources for image in source.images]
        tick = progress("decoding", len(images))
        for image in images:
            self.pixels.of(image)
            tick()

    def _rng(self, *key: int) -> Generator:
        return default_rng((self.recipe.seed, *key))

    def _lay(self, canvas: Image, rng: Generator, step: int) -> Marks:
        augment = self.recipe.augment
        late = step >= augment.until * len(self)
        if late or rng.random() >= augment.mosaic:
            sample, zoom = self._draw(rng)
            return place(sample, canvas, zoom, rng)
        drawn = [self._draw(rng) for _ in range(4)]
        return mosaic([s for s, _ in drawn], canvas, [z for _, z in drawn], rng)

    def _draw(self, rng: Generator) -> tuple[Sample, Zoom]:
        source = self.sources[int(rng.choice(len(self.sources), p=self.odds))]
        index = int(rng.choice(len(source.images), p=source.odds))
        pixels, marks = self.pixels.of(source.images[index]), source.marks[index]
        shrunk = pixels.shape[1] / source.images[index].width
        return Sample(pixels, Marks(marks.boxes * shrunk, marks.kinds, marks.known)), source.zoom


def rare_first(images: Sequence[LabelledImage], rare: float) -> NDArray[np.float64]:
    """The odds of drawing each image: a class in a share f < `rare` of them is drawn more often.

    An image counts sqrt(rare / f) times for its rarest class, and never less than once:
    repeat factor sampling, LVIS (arXiv 1908.03195).
    """
    inside = [frozenset(image.names) for image in images]
    share = {
        name: sum(name in names for names in inside) / len(inside)
        for name in frozenset().union(*inside)
    }
    times = [max([1.0, *((rare / share[name]) ** 0.5 for name in names)]) for names in inside]
    return np.asarray(np.array(times) / np.sum(times), np.float64)
