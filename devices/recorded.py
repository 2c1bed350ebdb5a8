"""What a detector found in a set of images, kept so that it can be judged more than once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from stopline.devices.evaluation import Evaluated
from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stands for the detector itself in `evaluate`, without running it, or reading an image."""

    names: tuple[str, ...]
    min_score: float
    precision: str
    backend: str
    found: tuple[Detections, ...]

    def each(self, images: Iterable[Image]) -> Iterator[Detections]:
        """What was found in the images of the set, which are those it was recorded on."""
        return iter(self.found)


def record(
    detector: Evaluated, images: Iterable[Image], on_image: Callable[[], None] = lambda: None
) -> Recorded:
    """Detect in every image; `on_image` is called after each."""
    found = []
    for one in detector.each(images):
        found.append(one)
        on_image()
    return Recorded(
        detector.names, detector.min_score, detector.precision, detector.backend, tuple(found)
    )
