"""Streets of `sim://road` rendered to disk once, with exact labels, as a COCO set."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
from numpy.random import default_rng

from stopline import __version__
from stopline.devices.coco import CocoSet, read_coco
from stopline.runtime.sim import Road, RoadSettings, View
from stopline.runtime.sim.settings import CLASSES, TimeOfDay
from stopline.train.recipe import SimSource

VIEWS_A_STREET = 6  # a street takes ten times as long to build as to see
SECONDS_APART = 3.0


def render_streets(
    source: SimSource, cache: Path, progress: Callable[[str, int], Callable[[], None]]
) -> CocoSet:
    """`source.count` views; each depends on the seed and its own number alone."""
    pixels = (source.count, source.width, source.height, source.seed)
    ignored = (source.min_visibility, source.min_side)
    facts = repr((pixels, ignored, VIEWS_A_STREET, SECONDS_APART, __version__)).encode()
    name = f"sim-{hashlib.sha256(facts).hexdigest()[:12]}"
    folder = cache / name
    if not folder.is_dir():
        draft = cache / f"{name}.part"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _render(source, draft, progress(f"rendering {source.name}", source.count))
        draft.replace(folder)
    return read_coco(folder / "labels.json", folder)


def _render(source: SimSource, folder: Path, tick: Callable[[], None]) -> None:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, view in enumerate(_views(source)):
        file = f"{index:05d}.png"
        _write(folder / file, view)
        images.append(
            {"id": index, "file_name": file, "width": source.width, "height": source.height}
        )
        annotations += _annotations(view, index, source)
        tick()
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES)]
    labels = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "labels.json").write_text(json.dumps(labels))


def _views(source: SimSource) -> Iterator[View]:
    """A few of each street: building one costs more than looking at it."""
    for street in range(math.ceil(source.count / VIEWS_A_STREET)):
        road = Road(settings_of(source, street))
        left = source.count - street * VIEWS_A_STREET
        for seen in range(min(VIEWS_A_STREET, left)):
            yield road.view(SECONDS_APART * seen)


def settings_of(source: SimSource, street: int) -> RoadSettings:
    """Street number `street`: by day, at dusk or night, one in three in the rain."""
    rng = default_rng((source.seed, street))
    times: tuple[TimeOfDay, ...] = ("day", "day", "dusk", "night")
    return RoadSettings(
        width=source.width,
        height=source.height,
        seed=int(rng.integers(2**62)),
        time_of_day=times[int(rng.integers(len(times)))],
        rain=float(rng.uniform(0.2, 1)) if rng.random() < 1 / 3 else 0.0,
        density=float(rng.uniform(0.3, 1.5)),
        jpeg=int(rng.integers(40, 95)) if rng.random() < 1 / 2 else 0,
    )


def _write(path: Path, view: View) -> None:
    done, data = cv2.imencode(".png", view.image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise OSError(f"cannot encode {str(path)!r}")
    path.write_bytes(data.tobytes())


def _annotations(view: View, image: int, source: SimSource) -> list[dict[str, Any]]:
    sides = view.boxes[:, 2:] - view.boxes[:, :2]
    hidden = (view.visibility < source.min_visibility) | (sides.max(1) < source.min_side)
    rows = zip(view.boxes.tolist(), view.names, hidden.tolist(), strict=True)
    return [
        {
            "image_id": image,
            "category_id": CLASSES.index(name),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "iscrowd": int(ignored),
        }
        for (x0, y0, x1, y1), name, ignored in rows
    ]
