"""The images on which a search chooses between variants: neither calibration nor the gate's."""

from dataclasses import replace

from stopline.devices.coco import CocoSet
from stopline.export.quantize.calibration import CalibrationSet
from stopline.export.quantize.picking import picked
from stopline.export.raw import ExportError

ENOUGH = 96
FEWEST = 16  # with fewer, one box decides which layer is to blame


def selection_set(training: CocoSet, calibration: CalibrationSet, images: int = ENOUGH) -> CocoSet:
    """Of the training split, stratified as calibration is, without its images.

    Raises ExportError if fewer than 16 are left.
    """
    used = set(calibration.files)
    rest = [image for image in training.images if image.path not in used]
    if len(rest) < FEWEST or images < FEWEST:
        raise ExportError(
            f"{min(images, len(rest))} of the {len(training.images)} images of {training.name} to "
            f"choose variants on, apart from {len(used)} for calibration: wanted {FEWEST} or "
            f"more, {ENOUGH} are good"
        )
    chosen = tuple(rest[at] for at in picked(rest, images))
    return replace(training, images=chosen)
