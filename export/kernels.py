"""What a GPU would do of a graph, kernel by kernel, as TensorRT fuses it: roughly.

What works on each element by itself is done by the kernel before it, and a view costs nothing;
so do joining and splitting, which TensorRT mostly does by writing to the right place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto

from stopline.devices.planning.kernel import BYTES, Kernel, Kind
from stopline.export.quantize.layers import Shapes, attribute, constants, shapes_of
from stopline.runtime.manifest import Precision

VIEWS = (
    *("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Expand", "Shape"),
    *("Concat", "Split", "Slice"),
)
POINTWISE = (
    *("Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Exp", "Neg", "Max", "Min", "Where"),
    *("Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Clip", "Softplus"),
    *("BatchNormalization", "Cast", "QuantizeLinear", "DequantizeLinear"),
)
# As kinds of Kernel do; a product of two things that flow is a "matmul".
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
STORED: dict[int, Precision] = {
    TensorProto.FLOAT: "fp32",
    TensorProto.FLOAT16: "fp16",
    TensorProto.UINT8: "int8",
    TensorProto.INT8: "int8",
}


@dataclass(frozen=True)
class _Flowing:
    """A tensor that depends on the image: who made it, and how it lies in memory."""

    kernel: int | None  # None for the input of the graph
    elements: int
    stored: Precision

    @property
    def bytes(self) -> int:
        return self.elements * BYTES[self.stored]


@dataclass
class _Reader:
    shapes: Shapes
    constant: frozenset[str]
    quantized: frozenset[str]  # weights that come out of a DequantizeLinear
    float: Precision
    kernels: list[Kernel] = field(default_factory=list)
    written: list[int] = field(default_factory=list)  # bytes, by each of them
    flowing: dict[str, _Flowing] = field(default_factory=dict)

    def take(self, node: NodeProto) -> None:
        """A node whose inputs were taken."""
        inputs = [self.flowing[name] for name in node.input if name in self.flowing]
        if not inputs:
            return
        if node.op_type in VIEWS:
            self._pass_on(node, inputs[0])
        elif node.op_type in POINTWISE and any(one.kernel is not None for one in inputs):
            self._fuse(node, inputs)
        else:
            self._start(node, inputs)

    def _pass_on(self, node: NodeProto, through: _Flowing) -> None:
        for name in node.output:
            self.flowing[name] = replace(through, elements=self._elements(name))

    def _fuse(self, node: NodeProto, inputs: list[_Flowing]) -> None:
        """Into the last of the kernels that made its inputs; the others' outputs it reads."""
        last = max(one.kernel for one in inputs if one.kernel is not None)
        self._read(last, (one for one in inputs if one.kernel != last))
        stored = self._stored(node, inputs[0])
        if node.op_type == "DequantizeLinear":  # it is read as it lies, and made float on the way
            self._pass_on(node, inputs[0])
        else:
            self._write(node, last, stored)

    def _start(self, node: NodeProto, inputs: list[_Flowing]) -> None:
        weights = [
            name for name in node.input[1:2] if name in self.constant and node.op_type in PRODUCTS
        ]
        integers = all(one.stored == "int8" for one in inputs)
        if weights:
            integers = integers and weights[0] in self.quantized
        precision: Precision = "int8" if integers else self.float
        elements = sum(self._elements(name) for name in weights)
        name = node.name or node.op_type
        macs = self._macs(node) if node.op_type in PRODUCTS else 0
        kind = self._kind(node, bool(weights))
        self.kernels.append(Kernel(name, kind, precision, macs, 0, elements * BYTES[precision]))
        self.written.append(0)
        index = len(self.kernels) - 1
        self._read(index, inputs)
        self._write(node, index, self._stored(node, inputs[0]))

    def _read(self, index: int, inputs: Iterable[_Flowing]) -> None:
        kernel = self.kernels[index]
        moved = kernel.activation_bytes + sum(one.bytes for one in inputs)
        self.kernels[index] = replace(kernel, activation_bytes=moved)

    def _write(self, node: NodeProto, index: int, stored: Precision) -> None:
        """What is fused on top replaces what would have been written before it."""
        kernel, written = self.kernels[index], 0
        for name in node.output:
            self.flowing[name] = _Flowing(index, self._elements(name), stored)
            written += self.flowing[name].bytes
        moved = kernel.activation_bytes - self.written[index] + written
        self.kernels[index] = replace(kernel, activation_bytes=moved)
        self.written[index] = written

    def _stored(self, node: NodeProto, first: _Flowing) -> Precision:
        if node.op_type == "QuantizeLinear":
            return "int8"
        if node.op_type == "Cast":
            return STORED.get(attribute(node, "to", TensorProto.FLOAT), "fp32")
        if node.op_type == "Transpose":
            return first.stored
        return self.float

    def _elements(self, name: str) -> int:
        return int(np.prod(self.shapes.get(name, ())))

    def _macs(self, node: NodeProto) -> int:
        weight, output = self.shapes[node.input[1]], self.shapes[node.output[0]]
        if node.op_type == "Conv":
            return int(np.prod(output)) * int(np.prod(weight[1:]))
        if node.op_type == "ConvTranspose":
            return int(np.prod(self.shapes[node.input[0]])) * int(np.prod(weight[1:]))
        inner = weight[1] if attribute(node, "transB", 0) else weight[-2]
        return int(np.prod(output)) * inner

    def _kind(self, node: NodeProto, weighted: bool) -> Kind:
        if node.op_type not in PRODUCTS:
            return "other"
        if node.op_type not in ("Conv", "ConvTranspose"):
            return "dense" if weighted else "matmul"
        weight = self.shapes[node.input[1]]
        if attribute(node, "group", 1) > 1:
            return "depthwise" if weight[1] == 1 else "grouped"
        return "pointwise" if all(side == 1 for side in weight[2:]) else "dense"


def kernels_of(model: ModelProto) -> tuple[Kernel, ...]:
    """Of one image; an open batch counts as one."""
    graph = model.graph
    reader = _Reader(
        shapes=shapes_of(model),
        constant=constants(graph),
        quantized=_quantized_weights(model),
        float=_float(model),
    )
    for value in graph.input:
        stored = STORED.get(value.type.tensor_type.elem_type, "fp32")
        elements = int(np.prod(reader.shapes[value.name]))
        reader.flowing[value.name] = _Flowing(None, elements, stored)
    for node in graph.node:
        reader.take(node)
    return tuple(reader.kernels)


def _float(model: ModelProto) -> Precision:
    """That of most weights: in FP16 only the decode may stay in FP32."""
    sizes: dict[int, int] = {}
    for each in model.graph.initializer:
        sizes[each.data_type] = sizes.get(each.data_type, 0) + int(np.prod(each.dims))
    return "fp16" if sizes.get(TensorProto.FLOAT16, 0) > sizes.get(TensorProto.FLOAT, 0) else "fp32"


def _quantized_weights(model: ModelProto) -> frozenset[str]:
    constant = constants(model.graph)
    return frozenset(
        name
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constant
        for name in node.output
    )
