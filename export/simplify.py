"""A raw graph brought to an opset that every reader knows, and rid of what does nothing."""

from copy import deepcopy

import onnxslim
from onnx import ModelProto, version_converter

from stopline.export.raw import ExportError

OLDEST_OPSET = 18  # what torch's exporter writes
NEWEST_OPSET = 21  # the last that ONNX Runtime 1.18 and TensorRT 10.3 read


def at_opset(model: ModelProto, name: str) -> ModelProto:
    """The same graph between the oldest and the newest opset; raises ExportError if it cannot."""
    foreign = sorted({said.domain for said in model.opset_import} - {"", "ai.onnx", "ai.onnx.ml"})
    opset = next((said.version for said in model.opset_import if said.domain in ("", "ai.onnx")), 0)
    if foreign or opset > NEWEST_OPSET:
        found = f"operators of {', '.join(foreign)}" if foreign else f"opset {opset}"
        raise ExportError(
            f"{name} has {found}: wanted only ONNX's own, opset {OLDEST_OPSET} to {NEWEST_OPSET}; "
            f"export it again so"
        )
    if opset >= OLDEST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, OLDEST_OPSET)
    except version_converter.ConvertError as error:
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"{name} has opset {opset}, which cannot be brought to {OLDEST_OPSET} ({reason}): "
            f"export it again with opset {OLDEST_OPSET}"
        ) from error


def simplified(model: ModelProto) -> ModelProto:
    """BatchNorm folded into Conv, constants folded, dead nodes gone."""
    slim: ModelProto = onnxslim.slim(deepcopy(model))
    return slim
