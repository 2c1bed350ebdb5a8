"""The images whose activations give an INT8 variant its ranges: an artefact, with its hash.

They come from the training split, through the letterbox of the runtime. Ranges taken from the
images on which the variant is judged afterwards would flatter it, so such a set is refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stopline.devices.coco import CocoSet, LabelledImage, load_image
from stopline.export.quantize.likeness import Signature, alike, is_flat, signature
from stopline.export.quantize.overlap import refuse_shared
from stopline.export.quantize.picking import picked, strata
from stopline.export.raw import ExportError
from stopline.runtime.arrays import Frames, Image
from stopline.runtime.cameras.image_files import find_images, read_image
from stopline.runtime.letterbox import letterbox
from stopline.runtime.manifest import Calibration, Input

FEWEST = 32  # fewer, and the largest value that one of them holds decides a range
ENOUGH = 128
NAMED = 3  # files named in an error


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """Frames as the graph takes them, and what the manifest says of them."""

    frames: Frames  # (n, h, w, 3)
    about: Calibration
    files: tuple[Path, ...] = ()  # of the frames; none where they were rendered


def calibration_set(
    coco: CocoSet, shape: Input, images: int = ENOUGH, apart_from: CocoSet | None = None
) -> CalibrationSet:
    """Of the training split: every class has a share, what is left is spread over the set.

    Pictures of one colour and near copies of another are left out. Raises ExportError if fewer
    than 32 remain, if one cannot be read, and if one is also in `apart_from`.
    """
    chosen = _chosen(coco.images, coco.name, images)
    kept = _laid(_loaded(chosen, load_image), shape, coco.name)
    used = [chosen[at] for at in kept.rows]
    if apart_from is not None:
        refuse_shared(used, kept.signatures, apart_from)
    return _set(coco.name, kept.frames, strata(used), used)


def calibration_from_folder(
    folder: Path, shape: Input, images: int = ENOUGH, apart_from: CocoSet | None = None
) -> CalibrationSet:
    """Of images without labels, spread over the folder (or glob) in the order of their names.

    Nobody can say what they show, so nothing is stratified. Raises as `calibration_set` does.
    """
    unlabelled = [_unlabelled(path) for path in find_images(folder) or ()]
    chosen = _chosen(unlabelled, str(folder), images)
    kept = _laid(_loaded(chosen, lambda one: read_image(one.path)), shape, str(folder))
    used = [chosen[at] for at in kept.rows]
    if apart_from is not None:
        refuse_shared(used, kept.signatures, apart_from)
    return _set(folder.name, kept.frames, {"unlabelled": len(used)}, used)


@dataclass(frozen=True, eq=False)
class _Kept:
    rows: list[int]  # of the pictures that were given
    frames: Frames
    signatures: list[Signature]


def _chosen(images: Sequence[LabelledImage], where: str, wanted: int) -> Sequence[LabelledImage]:
    _refuse_few(wanted, where)
    _refuse_few(len(images), where)
    return [images[at] for at in picked(images, wanted)]


def _refuse_few(count: int, where: str) -> None:
    if count < FEWEST:
        raise ExportError(
            f"calibration on {count} images of {where}: wanted {FEWEST} or more, {ENOUGH} are "
            f"good, from the training split"
        )


def _laid(pictures: Iterable[tuple[str, Image]], shape: Input, where: str) -> _Kept:
    """Each picture as a frame, except those that show nothing, or nothing new."""
    rows: list[int] = []
    frames: list[Image] = []
    signatures: list[Signature] = []
    flat: list[str] = []
    twins: list[str] = []
    for row, (name, image) in enumerate(pictures):
        seen = signature(image)
        if is_flat(seen):
            flat.append(name)
        elif alike(seen, signatures).any():
            twins.append(name)
        else:
            rows.append(row)
            frames.append(_frame(image, shape))
            signatures.append(seen)
    _refuse_alike(len(frames), flat, twins, where)
    return _Kept(rows, np.stack(frames), signatures)


def _loaded(
    chosen: Sequence[LabelledImage], load: Callable[[LabelledImage], Image]
) -> Iterator[tuple[str, Image]]:
    for one in chosen:
        try:
            image = load(one)
        except (OSError, ValueError) as unreadable:
            raise ExportError(f"calibration image: {unreadable}") from unreadable
        yield str(one.path), image


def _frame(image: Image, shape: Input) -> Image:
    frame = np.empty((shape.height, shape.width, 3), np.uint8)
    letterbox(image, frame, shape.resize, shape.pad)
    return frame


def _refuse_alike(left: int, flat: Sequence[str], twins: Sequence[str], where: str) -> None:
    if left >= FEWEST:
        return
    raise ExportError(
        f"calibration on {where}: of {left + len(flat) + len(twins)} images {left} show something "
        f"that no other shows, wanted {FEWEST} or more"
        + _named(flat, "of one colour")
        + _named(twins, "nearly the same as another")
    )


def _named(files: Sequence[str], fault: str) -> str:
    if not files:
        return ""
    more = ", …" if len(files) > NAMED else ""
    return f"; {len(files)} {fault}: {', '.join(files[:NAMED])}{more}"


def _set(
    dataset: str, frames: Frames, shown: dict[str, int], images: Sequence[LabelledImage] = ()
) -> CalibrationSet:
    frames.setflags(write=False)
    sha256 = hashlib.sha256(frames.data).hexdigest()
    about = Calibration(dataset, len(frames), sha256, shown)
    return CalibrationSet(frames, about, tuple(image.path for image in images))


def _unlabelled(path: Path) -> LabelledImage:
    nothing = np.zeros((0, 4), np.float32)
    return LabelledImage(
        path, 0, 0, frozenset(), frozenset(), {}, nothing, (), np.zeros(0, np.bool_)
    )
