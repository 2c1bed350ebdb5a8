"""Two graphs lined up by the names of their tensors, and cut into segments between those.

Every variant of a graph keeps its names, so a tensor of one is the same tensor in the other. A
segment is what a variant computes from one or more such tensors to the next: one node, with the
casts or the Q/DQ that a pass put around it. Given the reference's tensors, it shows its own
error, and none that it inherits.
"""

from collections.abc import Set
from itertools import chain
from typing import Literal, NamedTuple

from onnx import ModelProto, NodeProto, TensorProto

from stopline.export.contract import NET
from stopline.export.intermediate import typed_values
from stopline.export.quantize.layers import OPS
from stopline.export.raw import ExportError

Kind = Literal["float32", "float16", "int8"]
GIVEN = "/given"  # after the name of a tensor that a segment is fed
QDQ = {"QuantizeLinear", "DequantizeLinear"}


class Segment(NamedTuple):
    """What computes one shared tensor from the shared tensors before it."""

    tensor: str
    node: str  # the last, which gives the tensor; as the variant has it
    op: str
    kind: Kind
    reads: tuple[str, ...]  # shared tensors, as the variant wires them
    odd: tuple[str, ...]  # nodes that one graph has and the other has not, and no precision needs

    @property
    def place(self) -> str:
        """Where to look: the first odd node, else the last node.

        What a pass puts into `net/` in front of a layer is for that layer, and it is named.
        """
        of_net = self.node.startswith(NET)
        return next((n for n in self.odd if not (of_net and n.startswith(NET))), self.node)


def segments(reference: ModelProto, variant: ModelProto) -> list[Segment]:
    """Line up two graphs, in the variant's order.

    A tensor that only one of them has falls inside a segment. Raises ExportError if they have
    so little in common that they are not two variants of one graph.
    """
    ours, theirs = _Wiring(reference), _Wiring(variant)
    shared = ours.maker.keys() & theirs.maker.keys()
    if 2 * len(shared) < len(ours.maker):
        raise ExportError(
            f"only {len(shared)} of {len(ours.maker)} tensors have their names in both graphs: "
            f"wanted two variants of one graph"
        )
    kinds = _Kinds(variant)
    return [
        _segment(name, (ours, theirs), shared, kinds)
        for node in variant.graph.node
        for name in node.output
        if name in shared
    ]


def opened(variant: ModelProto, shared: Set[str]) -> ModelProto:
    """The variant with every shared tensor read from outside, by its name and GIVEN."""
    types = typed_values(variant)
    cut = ModelProto()
    cut.CopyFrom(variant)
    for node in cut.graph.node:
        for index, name in enumerate(node.input):
            if name in shared:
                node.input[index] = name + GIVEN
    for name in sorted(shared):
        given = cut.graph.input.add()
        given.CopyFrom(types[name])
        given.name = name + GIVEN
    return cut


class _Wiring:
    """Who makes what in a graph."""

    def __init__(self, model: ModelProto) -> None:
        self.maker = {name: node for node in model.graph.node for name in node.output if name}

    def until(self, name: str, shared: Set[str]) -> tuple[list[NodeProto], list[str]]:
        """The nodes between a tensor and the shared ones before it, and those."""
        nodes: list[NodeProto] = []
        reads: list[str] = []
        ahead, seen = [name], set[str]()
        while ahead:
            node = self.maker[ahead.pop()]
            nodes.append(node)
            for read in node.input:
                if read in self.maker and read not in seen:
                    seen.add(read)
                    (reads if read in shared else ahead).append(read)
        return nodes, reads


class _Kinds:
    """The precision that is expected of a tensor in a variant."""

    def __init__(self, variant: ModelProto) -> None:
        types = typed_values(variant)
        self._types = {name: value.type.tensor_type.elem_type for name, value in types.items()}
        self._before_a_layer = set[str]()
        for node in reversed(variant.graph.node):
            if _is_layer(node) or self._before_a_layer.intersection(node.output):
                self._before_a_layer.update(node.input)

    def of(self, name: str, nodes: list[NodeProto]) -> Kind:
        """INT8 only in `net/`, and of that not where all layers are done: no scale fits there."""
        last = nodes[0]
        quantized = any(node.op_type in QDQ for node in nodes)
        if quantized and (_is_layer(last) or name in self._before_a_layer):
            return "int8"
        return "float16" if self._types.get(name) == TensorProto.FLOAT16 else "float32"


def _is_layer(node: NodeProto) -> bool:
    return node.op_type in OPS and node.name.startswith(NET)


def _segment(
    name: str, graphs: tuple[_Wiring, _Wiring], shared: Set[str], kinds: _Kinds
) -> Segment:
    (ours, _), (theirs, reads) = (graph.until(name, shared) for graph in graphs)
    last = theirs[0]
    odd = _odd(ours, theirs)
    return Segment(name, last.name, last.op_type, kinds.of(name, theirs), tuple(reads), odd)


def after_top_k(model: ModelProto) -> frozenset[str]:
    """The tensors whose rows a top k has put in order: two near scores swap them."""
    after = set[str]()
    for node in model.graph.node:
        if node.op_type == "TopK" or after.intersection(node.input):
            after.update(node.output)
    return frozenset(after)


def _odd(ours: list[NodeProto], theirs: list[NodeProto]) -> tuple[str, ...]:
    """In the order in which they compute; those that the variant has come first."""
    expected = {"Cast", *(QDQ if theirs[0].name.startswith(NET) else ())}
    known = [{node.name for node in nodes} for nodes in (ours, theirs)]
    differ = known[0] ^ known[1]
    names = [
        node.name
        for node in chain(reversed(theirs), reversed(ours))
        if node.name in differ and node.op_type not in expected
    ]
    return tuple(names)
