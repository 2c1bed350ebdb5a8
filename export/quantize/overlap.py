"""Whether a calibration set holds what the variant is judged on afterwards."""

from collections.abc import Sequence

import numpy as np

from stopline.devices.coco import CocoSet, LabelledImage
from stopline.export.quantize.likeness import Signature, alike, signature_of_file
from stopline.export.raw import ExportError

NAMED = 3  # pairs in an error


def refuse_shared(
    images: Sequence[LabelledImage], signatures: Sequence[Signature], judged_on: CocoSet
) -> None:
    """Raise ExportError, naming the first, if one of `images` is in `judged_on` too.

    That is: the same file, a file that decodes to nearly the same picture whatever its name, size
    and compression, or an image of the same source and near-duplicate group.
    """
    shared = _same_file(images, judged_on) or _same_group(images, judged_on)
    shared = shared or _same_picture(images, signatures, judged_on)
    if not shared:
        return
    pairs = "; ".join(f"{one} ({why})" for one, why in shared[:NAMED])
    more = "; …" if len(shared) > NAMED else ""
    raise ExportError(
        f"{len(shared)} of {len(images)} calibration images are in {judged_on.name}, on which the "
        f"variant is judged: {pairs}{more}. Calibrate on the training split"
    )


_Shared = list[tuple[str, str]]  # calibration image, why it counts as shared


def _same_file(images: Sequence[LabelledImage], judged_on: CocoSet) -> _Shared:
    there = {image.path.resolve() for image in judged_on.images}
    return [(one.path.name, "the same file") for one in images if one.path.resolve() in there]


def _same_group(images: Sequence[LabelledImage], judged_on: CocoSet) -> _Shared:
    """Groups are numbered within a source; where none is named, nothing follows from a number."""
    there = {(image.source, image.group): image for image in judged_on.images}
    keyed = [(one, there.get((one.source, one.group))) for one in images if one.source]
    return [
        (one.path.name, f"of one group with {twin.path.name}")
        for one, twin in keyed
        if one.group is not None and twin is not None
    ]


def _same_picture(
    images: Sequence[LabelledImage], signatures: Sequence[Signature], judged_on: CocoSet
) -> _Shared:
    stacked = np.stack(signatures)
    shared: dict[int, str] = {}
    for image in judged_on.images:
        try:
            seen = signature_of_file(image.path)
        except (OSError, ValueError) as unreadable:
            raise ExportError(f"{judged_on.name}: {unreadable}") from unreadable
        for row in np.flatnonzero(alike(seen, stacked)).tolist():
            shared.setdefault(row, f"shows the same as {image.path.name}")
    return [(images[row].path.name, why) for row, why in sorted(shared.items())]
