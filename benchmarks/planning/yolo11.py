"""The layer shapes of YOLO11 n, s and m at 640x640: figures, not a network that could run.

Written from the published architecture (the table of modules, channels and repeats in Ultralytics'
documentation, and what the modules are: C3k2, SPPF, C2PSA, and a head of three scales). None of
its code is used. `parameters` and `macs` are held against what is published of the three.
"""

from typing import Literal

from planning.shapes import Map, Net

Size = Literal["n", "s", "m"]
CLASSES, REG_MAX = 80, 16
# depth multiple, width multiple, most channels
SCALES: dict[Size, tuple[float, float, int]] = {
    "n": (0.50, 0.25, 1024),
    "s": (0.50, 0.50, 1024),
    "m": (0.50, 1.00, 512),
}


class Yolo11(Net):
    """Filled layer by layer."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size

    def bottleneck(self, x: Map, hidden: int, k: int = 3) -> Map:
        """Two convolutions, and the input added in the second."""
        return self.added(self.conv(self.conv(x, hidden, k), x.c, k), x)

    def c3k(self, x: Map) -> Map:
        """A C3 of two bottlenecks."""
        hidden = x.c // 2
        first, second = self.conv(x, hidden), self.conv(x, hidden)
        for _ in range(2):
            first = self.bottleneck(first, hidden)
        return self.conv(Map(2 * hidden, second.side), x.c)

    def c3k2(self, x: Map, c: int, nested: bool, share: float = 0.5) -> Map:
        """Its inner blocks are C3k where `nested`; the big models nest everywhere."""
        hidden, repeats = int(self._width(c) * share), max(1, round(2 * SCALES[self.size][0]))
        self.conv(x, 2 * hidden)
        inner = Map(hidden, x.side)
        for _ in range(repeats):
            big = nested or self.size == "m"
            inner = self.c3k(inner) if big else self.bottleneck(inner, hidden // 2)
        return self.conv(Map((2 + repeats) * hidden, x.side), self._width(c))

    def down(self, x: Map, c: int) -> Map:
        """A convolution of stride 2."""
        return self.conv(x, self._width(c), 3, 2)

    def sppf(self, x: Map) -> Map:
        """Three poolings, and all four joined."""
        y = self.conv(x, x.c // 2)
        for _ in range(3):
            self.other(y, y)
        return self.conv(Map(4 * y.c, y.side), x.c)

    def c2psa(self, x: Map) -> Map:
        """Attention over all places, in half of the channels."""
        hidden = x.c // 2
        self.conv(x, 2 * hidden)
        half = Map(hidden, x.side)
        for _ in range(max(1, round(2 * SCALES[self.size][0]))):
            heads, places = max(1, hidden // 64), x.side**2
            width = hidden // heads
            self.conv(half, hidden + heads * width)  # queries and keys of half a width, values
            self.matmul(places, width // 2, places, heads)
            self.other(Map(heads, places), Map(heads, places))
            self.matmul(places, places, width, heads)
            self.conv(half, hidden, 3, groups=hidden)
            self.conv(half, hidden)
            self.conv(self.conv(half, 2 * hidden), hidden)
        return self.conv(Map(2 * hidden, x.side), x.c)

    def head(self, maps: list[Map]) -> None:
        """Boxes by convolutions, classes by separable ones, then the decode."""
        boxes = max(16, maps[0].c // 4, REG_MAX * 4)
        classes = max(maps[0].c, min(CLASSES, 100))
        for x in maps:
            y = self.conv(self.conv(x, boxes, 3), boxes, 3)
            self.conv(y, 4 * REG_MAX)
            y = self.conv(self.conv(x, x.c, 3, groups=x.c), classes)
            y = self.conv(self.conv(y, classes, 3, groups=classes), classes)
            self.conv(y, CLASSES)
        places = sum(x.side**2 for x in maps)
        # Softmax, expectation, decode.
        self.moved(places * (4 * REG_MAX + CLASSES), places * (4 + CLASSES))

    def _width(self, c: int) -> int:
        _, width, most = SCALES[self.size]
        return int(-(-min(c, most) * width // 8) * 8)


def yolo11(size: Size) -> Yolo11:
    """All of it."""
    net = Yolo11(size)
    x = net.down(net.down(Map(3, 640), 64), 128)
    x = net.c3k2(x, 256, nested=False, share=0.25)
    p3 = x = net.c3k2(net.down(x, 256), 512, nested=False, share=0.25)
    p4 = x = net.c3k2(net.down(x, 512), 512, nested=True)
    x = net.c3k2(net.down(x, 1024), 1024, nested=True)
    p5 = net.c2psa(net.sppf(x))
    up = net.other(p5, Map(p5.c, p4.side))
    n4 = net.c3k2(Map(up.c + p4.c, p4.side), 512, nested=False)
    up = net.other(n4, Map(n4.c, p3.side))
    n3 = net.c3k2(Map(up.c + p3.c, p3.side), 256, nested=False)
    x = net.down(n3, 256)
    m4 = net.c3k2(Map(x.c + n4.c, n4.side), 512, nested=False)
    x = net.down(m4, 512)
    m5 = net.c3k2(Map(x.c + p5.c, p5.side), 1024, nested=True)
    net.head([n3, m4, m5])
    return net
