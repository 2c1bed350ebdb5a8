"""A labelled set of images in COCO JSON, with what it says about labels that are only partial.

    {"categories": [{"id": 1, "name": "car"}, …],
     "images": [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480, …}, …],
     "annotations": [{"image_id": 7, "category_id": 1, "bbox": [x, y, w, h], "iscrowd": 0}, …]}

An image may add what holds for it alone:

- `labelled_categories`: the classes of which every object in it has a box. Without the key that
  is every class of the file. Any other class is unknown there, not absent.
- `positive_only_categories`: classes whose boxes are right while other objects may have none.
- `labelled_as`: `{"truck": "car"}` where trucks were labelled as cars.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes, Image
from stopline.runtime.cameras.image_files import read_image

ROUNDING = 2.0  # pixels; labelling tools round the corners of a box past the edge of the image


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """One image and its labels. `boxes`, `names` and `crowd` have a row for each label.

    A class in neither `labelled` nor `positive_only` may still have a box: it is one object
    more that is known, and says nothing of others. A crowd box covers many objects, or an
    object that is not to be judged: it is a region to ignore.
    """

    path: Path
    width: int
    height: int
    labelled: frozenset[str]  # of these classes, what has no box is not there
    positive_only: frozenset[str]  # of these, what has a box is there
    labelled_as: dict[str, str]  # detected class → the class it counts as
    boxes: Boxes  # (n, 4) float32, inside the image
    names: tuple[str, ...]
    crowd: NDArray[np.bool_]  # (n,)
    source: str | None = None
    group: str | None = None  # images that show nearly the same belong on one side of a split


@dataclass(frozen=True, slots=True)
class CocoSet:
    """The images of a COCO file, in its order."""

    name: str
    classes: tuple[str, ...]
    images: tuple[LabelledImage, ...]
    empty_boxes: int = 0  # left out because they cover nothing, as two in COCO's own train2017


class _Category(msgspec.Struct):
    id: int
    name: str


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: Annotated[int, msgspec.Meta(gt=0)]
    height: Annotated[int, msgspec.Meta(gt=0)]
    labelled_categories: list[str] | None = None
    positive_only_categories: list[str] = []
    labelled_as: dict[str, str] = {}
    source: str | None = None
    near_dup_group: str | int | None = None


class _Annotation(msgspec.Struct):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]  # xywh
    iscrowd: bool | int = 0


class _File(msgspec.Struct):
    categories: list[_Category]
    images: list[_Image]
    annotations: list[_Annotation]


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """The annotations of a file as arrays, sorted by `image`, the index of their image."""

    image: NDArray[np.int64]  # (n,)
    boxes: Boxes  # (n, 4)
    names: list[str]
    crowd: NDArray[np.bool_]  # (n,)


def read_coco(annotations: Path, images: Path) -> CocoSet:
    """Read the labels, and check that every image is there, without opening one.

    `file_name` is relative to the folder `images`. Raises OSError for a file that is absent,
    ValueError for one that does not say what it should.
    """
    file = _decode(annotations)
    where = annotations.name
    classes = {category.id: category.name for category in file.categories}
    if len(set(classes.values())) != len(file.categories):
        raise ValueError(f"{where}: two categories share an id or a name, each needs its own")
    labels = _check(file, classes, where)
    edges = np.searchsorted(labels.image, np.arange(len(file.images) + 1))
    known = frozenset(classes.values())
    read = []
    for index, raw in enumerate(file.images):
        _refuse_unknown_names(raw, known, where)
        rows = slice(edges[index], edges[index + 1])
        read.append(_labelled_image(raw, images, known, _part(labels, rows)))
    _refuse_absent(read, annotations, images)
    empty = len(file.annotations) - len(labels.names)
    return CocoSet(where, tuple(classes.values()), tuple(read), empty)


def load_image(image: LabelledImage) -> Image:
    """(height, width, 3) BGR; raises OSError or ValueError naming a file that cannot be used."""
    pixels = read_image(image.path)
    found, wanted = pixels.shape[1::-1], (image.width, image.height)
    if found != wanted:
        raise ValueError(
            f"{str(image.path)!r} is {found[0]}x{found[1]}, its labels were made at "
            f"{wanted[0]}x{wanted[1]}: correct width and height, or the image"
        )
    return pixels


def _decode(annotations: Path) -> _File:
    try:
        return msgspec.json.decode(annotations.read_bytes(), type=_File)
    except OSError as absent:
        raise OSError(f"cannot read labels {str(annotations)!r}: {absent.strerror}") from absent
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise ValueError(
            f"{annotations.name} is not COCO JSON (an object with images, annotations and "
            f"categories): {wrong}"
        ) from wrong


def _check(file: _File, classes: dict[int, str], where: str) -> _Labels:
    """Annotations → arrays in the order of the images, each known to lie in its image."""
    index_of = {image.id: index for index, image in enumerate(file.images)}
    if len(index_of) != len(file.images):
        raise ValueError(f"{where}: two images share an id, each needs its own")
    for label in file.annotations:
        if label.image_id not in index_of:
            raise ValueError(f"{where}: an annotation is of image {label.image_id}, not in images")
        if label.category_id not in classes:
            raise ValueError(
                f"{where}: {file.images[index_of[label.image_id]].file_name} has a box of "
                f"category {label.category_id}; categories has {sorted(classes)}"
            )
    image = np.array([index_of[label.image_id] for label in file.annotations], np.int64)
    boxes = np.array([label.bbox for label in file.annotations], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    edge = np.array([(i.width, i.height) * 2 for i in file.images], np.float64).reshape(-1, 4)
    _refuse_outside(boxes, edge[image], [file.images[i].file_name for i in image], where)
    boxes = np.clip(boxes, 0, edge[image])
    full = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    order = np.argsort(image, kind="stable")
    order = order[full[order]]
    labels = [file.annotations[row] for row in order]
    return _Labels(
        image[order],
        boxes[order].astype(np.float32),
        [classes[label.category_id] for label in labels],
        np.array([bool(label.iscrowd) for label in labels], np.bool_),
    )


def _refuse_outside(boxes: Boxes, edge: Boxes, files: Sequence[str], where: str) -> None:
    inside = (boxes >= -ROUNDING) & (boxes <= edge + ROUNDING)  # False too for nan
    ordered = boxes[:, 2:] >= boxes[:, :2]
    wrong = np.flatnonzero(~np.hstack([inside, ordered]).all(axis=1))
    for row in wrong[:1]:
        x0, y0, x1, y1 = boxes[row].tolist()
        raise ValueError(
            f"{where}: {files[row]} is {edge[row, 0]:g}x{edge[row, 1]:g}, and has a box outside "
            f"of it: bbox [{x0:g}, {y0:g}, {x1 - x0:g}, {y1 - y0:g}] (wanted x, y, width, height "
            "in pixels)"
        )


def _refuse_unknown_names(raw: _Image, known: frozenset[str], where: str) -> None:
    named = {*(raw.labelled_categories or ()), *raw.positive_only_categories}
    unknown = sorted((named | set(raw.labelled_as.values())) - known)
    if unknown:
        raise ValueError(
            f"{where}: {raw.file_name} says it is labelled for {', '.join(unknown)}; "
            f"categories has {', '.join(sorted(known))}"
        )


def _refuse_absent(read: Sequence[LabelledImage], annotations: Path, images: Path) -> None:
    absent = [image.path for image in read if not image.path.is_file()]
    if absent:
        raise FileNotFoundError(
            f"{len(absent)} of the {len(read)} images of {annotations.name} are not in "
            f"{str(images)!r}, the first is {str(absent[0])!r}: name their folder with --images"
        )


def _part(labels: _Labels, rows: slice) -> _Labels:
    return _Labels(labels.image[rows], labels.boxes[rows], labels.names[rows], labels.crowd[rows])


def _labelled_image(
    raw: _Image, images: Path, known: frozenset[str], labels: _Labels
) -> LabelledImage:
    positive_only = frozenset(raw.positive_only_categories)
    stated = known if raw.labelled_categories is None else frozenset(raw.labelled_categories)
    group = raw.near_dup_group
    return LabelledImage(
        path=images / raw.file_name,
        width=raw.width,
        height=raw.height,
        labelled=stated - positive_only,  # where both are claimed, the weaker claim holds
        positive_only=positive_only,
        labelled_as=raw.labelled_as,
        boxes=labels.boxes,
        names=tuple(labels.names),
        crowd=labels.crowd,
        source=raw.source,
        group=None if group is None else str(group),
    )
