"""The shapes of a network, layer by layer: what is multiplied and moved, and nothing that runs."""

from dataclasses import dataclass, field, replace

from stopline.devices.planning.kernel import BYTES, Kernel, Kind
from stopline.runtime.manifest import Precision


@dataclass(frozen=True)
class Map:
    """A feature map; `c` channels, `side` x `side`."""

    c: int
    side: int

    @property
    def size(self) -> int:
        return self.c * self.side**2


@dataclass(frozen=True)
class Layer:
    """In elements: how many bytes they are depends on the precision."""

    kind: Kind
    macs: int
    moved: int
    weights: int


@dataclass
class Net:
    """Layers in their order, and the parameters that training has."""

    layers: list[Layer] = field(default_factory=list)
    parameters: int = 0

    def conv(self, x: Map, c: int, k: int = 1, stride: int = 1, groups: int = 1) -> Map:
        """With its batch norm and activation fused."""
        y = Map(c, x.side // stride)
        weights = c * (x.c // groups) * k * k
        kind: Kind = "depthwise" if groups == x.c > 1 else "pointwise" if k == 1 else "dense"
        self.layers.append(Layer(kind, y.side**2 * weights, x.size + y.size, weights))
        self.parameters += weights + 2 * c
        return y

    def added(self, y: Map, x: Map) -> Map:
        """An addition, fused into the last layer: it reads `x` too."""
        self.layers[-1] = replace(self.layers[-1], moved=self.layers[-1].moved + x.size)
        return y

    def other(self, x: Map, y: Map) -> Map:
        """Moves and no products: a pooling, an upsampling, a softmax."""
        self.moved(x.size, y.size)
        return y

    def moved(self, read: int, written: int) -> None:
        """The same, where it is no map."""
        self.layers.append(Layer("other", 0, read + written, 0))

    def matmul(self, rows: int, inner: int, columns: int, heads: int) -> None:
        """Of two things that flow, in each head."""
        moved = heads * (inner * (rows + columns) + rows * columns)
        self.layers.append(Layer("matmul", heads * rows * inner * columns, moved, 0))

    def kernels(self, precision: Precision) -> tuple[Kernel, ...]:
        """All at one precision, but for attention and decode, which INT8 leaves in FP16."""
        floats: Precision = "fp16" if precision == "int8" else precision
        made = []
        for number, layer in enumerate(self.layers):
            of = floats if layer.kind in ("matmul", "other") else precision
            moved, weights = layer.moved * BYTES[of], layer.weights * BYTES[of]
            made.append(Kernel(f"{number}", layer.kind, of, layer.macs, moved, weights))
        return tuple(made)
