"""A bundle made into a function from images to detections."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Image
from stopline.runtime.backends.backend import BackendError, open_backend, usable_cpus
from stopline.runtime.backends.choice import Choice, Machine, asked_for, choose
from stopline.runtime.bundle import Bundle, open_bundle
from stopline.runtime.closing import Closing
from stopline.runtime.detections import Detections
from stopline.runtime.letterbox import Fit, letterbox
from stopline.runtime.manifest import Precision
from stopline.runtime.nms import nms_per_class


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """None leaves the choice to the bundle, and of the backend and threads to the machine."""

    backend: str | None = None
    precision: Precision | None = None
    min_score: float | None = None
    max_iou: float | None = None
    threads: int | None = None


class Inference(NamedTuple):
    """Detections of a few images, and the nanoseconds that each stage took for all of them."""

    detections: list[Detections]
    stages_ns: dict[str, int]  # letterbox, engine, nms


class Detector(Closing):
    """`Detector("road-nano")(image)` → Detections, in pixels of that image."""

    def __init__(
        self,
        bundle: str | Path | Bundle = "road-nano",
        *,
        settings: DetectorSettings | None = None,
    ) -> None:
        """Raise BundleError or BackendError if the bundle is broken or cannot run here."""
        settings = settings or DetectorSettings()
        self.bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
        manifest = self.bundle.manifest
        self.names = manifest.classes
        self.min_score = _first(settings.min_score, manifest.thresholds.min_score)
        self.max_iou = _nms_iou(settings.max_iou, manifest.thresholds.max_iou)
        self._input = manifest.input
        choices: dict[str, Choice] = {}

        def precision_for(backend: str) -> Precision:
            choices[backend] = _choice(self.bundle, settings, backend)
            return choices[backend].precision

        self._backend, self.precision, self.passed_over = open_backend(
            self.bundle, precision_for, settings.backend, settings.threads
        )
        self.backend = self._backend.name
        self.choice = choices[self.backend]

    @property
    def batch(self) -> int:
        """How many images one run of the graph takes at most."""
        return len(self._backend.frames)

    def __call__(self, image: Image) -> Detections:
        """Detect in one image (h, w, 3) BGR uint8."""
        return self.detect([image]).detections[0]

    def detect(self, images: Sequence[Image], least_score: float | None = None) -> Inference:
        """Detect in up to `batch` images at once, with the clocks of each stage.

        A tracker asks for doubtful detections too, by a `least_score` below `min_score`: those
        come after the others, which stay the same.
        """
        least = _first(least_score, self.min_score)
        started = time.monotonic_ns()
        fits = [self._laid(image, slot) for slot, image in enumerate(images)]
        laid = time.monotonic_ns()
        outputs = self._backend.run(len(images))
        ran = time.monotonic_ns()
        found = [self._kept(fit, least, [out[i] for out in outputs]) for i, fit in enumerate(fits)]
        kept = time.monotonic_ns()
        return Inference(
            found, {"letterbox": laid - started, "engine": ran - laid, "nms": kept - ran}
        )

    def each(self, images: Iterable[Image]) -> Iterator[Detections]:
        """Detect in any number of images, in batches as large as the graph takes."""
        rest = iter(images)
        while batch := list(islice(rest, self.batch)):
            yield from self.detect(batch).detections

    def close(self) -> None:
        """Give back the memory of the graph."""
        self._backend.close()

    def _laid(self, image: Image, slot: int) -> Fit:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(f"image {image.dtype} {image.shape}: wanted uint8 (h, w, 3) BGR")
        return letterbox(image, self._backend.frames[slot], self._input.resize, self._input.pad)

    def _kept(self, fit: Fit, least: float, outputs: Sequence[NDArray[Any]]) -> Detections:
        boxes, scores, classes = outputs
        # NaN compares false with every threshold: unchecked, a broken graph is an empty road.
        if not math.isfinite(float(scores.sum()) + float(boxes.sum())):
            raise BackendError(f"{self.backend} gave numbers that are not finite")
        likely = int(np.count_nonzero(scores >= least))  # they come best first
        boxes, scores, classes = boxes[:likely], scores[:likely], classes[:likely]
        keep: NDArray[np.integer[Any]] = np.arange(likely)
        if self.max_iou is not None:
            keep = nms_per_class(boxes, scores, classes, self.max_iou)
        # Picking copies: what the backend gave is overwritten by its next run.
        return Detections(
            fit.frame_from_input(boxes[keep]), scores[keep], classes[keep], self.names
        )


def _choice(bundle: Bundle, settings: DetectorSettings, backend: str) -> Choice:
    machine = Machine(threads=settings.threads or usable_cpus())
    if settings.precision is not None:
        return asked_for(bundle, settings.precision, backend, machine)

    def opened(precision: Precision, min_score: float) -> Detector:
        exactly = replace(settings, backend=backend, precision=precision, min_score=min_score)
        return Detector(bundle, settings=exactly)

    return choose(bundle, backend, machine, opened)


def _first(said: float | None, otherwise: float) -> float:
    return otherwise if said is None else said


def _nms_iou(said: float | None, of_bundle: float | None) -> float | None:
    """A graph that needs no NMS gets none, whatever was said."""
    return None if of_bundle is None else _first(said, of_bundle)
