"""A detector as another tool left it: float images in, undecoded numbers out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnx_ir
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto
from onnx.checker import ValidationError
from onnx_ir.passes.common import LiftConstantsToInitializersPass

Floats: TypeAlias = NDArray[np.floating[Any]]
HW: TypeAlias = tuple[int, int]  # height, width in pixels

GREY = 114  # what a detector sees where a letterbox has no picture


class ExportError(ValueError):
    """Something that cannot become a bundle; says what was found and what was wanted."""


@dataclass(frozen=True)
class Raw:
    """An ONNX file that takes one tensor of images (n, 3, h, w), and what it gave for grey ones."""

    name: str
    model: ModelProto
    input: str
    input_hw: HW
    outputs: Mapping[str, Floats]

    @property
    def ops(self) -> frozenset[str]:
        """The kinds of nodes in the graph."""
        return frozenset(node.op_type for node in self.model.graph.node)

    @property
    def output(self) -> Floats:
        """The only output; for the families that have but one."""
        (only,) = self.outputs.values()
        return only

    def described_outputs(self) -> str:
        """Names and shapes, for an error."""
        return ", ".join(f"{name} {value.shape}" for name, value in self.outputs.items())


class RawRunner:
    """Runs a raw file in ONNX Runtime: (n, 3, h, w) float32 → its outputs by name."""

    def __init__(self, name: str, model: ModelProto) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as ort

        self._name = name
        self._failures = (
            *(ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf),
            *(ort.NotImplemented, ort.RuntimeException),
        )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what fails is raised, and shall be said once
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except self._failures as error:
            raise ExportError(f"{name} cannot be run: {_first_line(error)}") from error

    def __call__(self, images: Floats) -> dict[str, Floats]:
        names = [output.name for output in self._session.get_outputs()]
        feeds = {self._session.get_inputs()[0].name: images}
        try:
            return dict(zip(names, self._session.run(names, feeds), strict=True))
        except self._failures as error:
            raise ExportError(
                f"{self._name} cannot take images {images.shape}: {_first_line(error)}"
            ) from error


def read_raw(path: Path, input_hw: HW | None = None) -> Raw:
    """Read an ONNX file and run it once. `input_hw` is for a file that leaves its size open.

    Raises ExportError if it is not one that takes images.
    """
    try:
        model = onnx.load(path)
    except (DecodeError, ValidationError) as error:
        raise ExportError(f"{path} is not an ONNX file: {_first_line(error)}") from error
    if not model.graph.node:
        raise ExportError(f"{path} is not an ONNX file, or one without a single node")
    return raw_of(model, str(path), input_hw)


def raw_of(model: ModelProto, name: str, input_hw: HW | None = None) -> Raw:
    """A model in memory; see `read_raw`."""
    images = images_input(model, name)
    own_hw = tuple(dim.dim_value for dim in images.type.tensor_type.shape.dim[2:])
    hw = input_hw if 0 in own_hw or len(own_hw) != 2 else own_hw
    if hw is None:
        raise ExportError(f"{name} leaves its input size open: say which with --input HxW")
    batch = images.type.tensor_type.shape.dim[0].dim_value or 1
    model = constants_lifted(model)
    return Raw(name, model, images.name, hw, grey_outputs(model, name, (batch, 3, *hw)))


def constants_lifted(model: ModelProto) -> ModelProto:
    """Constant nodes as initializers: one place to look for what is fixed in a graph."""
    ir = onnx_ir.serde.deserialize_model(model)
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(ir)
    return onnx_ir.serde.serialize_model(ir)


def images_input(model: ModelProto, name: str) -> ValueInfoProto:
    """The one input; raises ExportError unless it is float32 (n, 3, h, w)."""
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    dims = [dim.dim_value for value in inputs for dim in value.type.tensor_type.shape.dim]
    floats = [value.type.tensor_type.elem_type == TensorProto.FLOAT for value in inputs]
    if floats != [True] or len(dims) != 4 or dims[1] not in (0, 3):
        found = ", ".join(f"{v.name} {shape_text(v)}" for v in inputs) or "no input"
        raise ExportError(f"{name} takes {found}: wanted one float32 (n, 3, h, w) of images")
    images: ValueInfoProto = inputs[0]
    return images


def grey_outputs(model: ModelProto, name: str, shape: tuple[int, ...]) -> dict[str, Floats]:
    """What the model gives for grey images of this shape."""
    return RawRunner(name, model)(np.full(shape, GREY, np.float32))


def shape_text(value: ValueInfoProto) -> str:
    """`float32 (1, 3, h, 640)`, for an error."""
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    dims = ", ".join(str(dim.dim_value or dim.dim_param or "?") for dim in tensor.shape.dim)
    return f"{kind} ({dims})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
