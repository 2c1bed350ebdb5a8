"""What TensorRT made of a graph, read from its own description of the engine.

The builder logs one line for each layer, on a machine without a GPU too, where an engine cannot
be opened to be inspected. An inspector writes the same lines.
"""

import re
from collections import Counter
from collections.abc import Iterable

from stopline.runtime.backends.engine_record import EngineLayer, Placement

LAYER = re.compile(r"^Name: (?P<name>.*?), LayerType: (?P<kind>[^,]*), (?P<rest>.*)$")
TENSORS = {name: re.compile(rf"\b{name}: \[(.*?)\}}\]") for name in ("Inputs", "Outputs")}
TYPE = re.compile(r"Datatype: (\w+)")
GENERATED = "kgen"
NODE = re.compile(r"\[ONNX Layer: ([^\]]*)\]")


def layers_of(described: Iterable[str]) -> tuple[EngineLayer, ...]:
    """From what was logged or inspected; lines of any other form are left out."""
    lines = (line.strip() for text in described for line in text.splitlines())
    matches = (LAYER.match(line) for line in lines)
    return tuple(_layer(match) for match in matches if match is not None)


def types_used(layers: Iterable[EngineLayer]) -> dict[str, int]:
    """How many layers take each type: whether INT8 in the graph is INT8 in the engine.

    What they give says less: a convolution of INT8 gives floats, which the next layer rounds.
    """
    return dict(Counter(kind for layer in layers for kind in sorted(set(layer.takes))))


def nodes_computed_in(kind: str, layers: Iterable[EngineLayer]) -> frozenset[str]:
    """The nodes of the ONNX file whose kernel takes that type.

    A generated kernel is left out: it holds what comes before or after a convolution, which is
    named in it as well.
    """
    return frozenset(
        node
        for layer in layers
        if layer.kind != GENERATED and kind in layer.takes
        for node in layer.nodes
    )


def placed(on_dla: dict[str, bool]) -> Placement:
    """From each layer of the network and whether the accelerator can run it."""
    return Placement(
        dla=tuple(name for name, can in on_dla.items() if can),
        gpu=tuple(name for name, can in on_dla.items() if not can),
    )


def _layer(match: re.Match[str]) -> EngineLayer:
    rest = match["rest"]
    return EngineLayer(
        name=match["name"],
        kind=match["kind"],
        takes=_types("Inputs", rest),
        gives=_types("Outputs", rest),
        nodes=tuple(NODE.findall(rest)),
    )


def _types(name: str, rest: str) -> tuple[str, ...]:
    """Of the tensors; `Inputs: []` is followed by those of another name."""
    found = TENSORS[name].search(rest.replace("[]", ""))
    return tuple(TYPE.findall(found[1])) if found else ()
