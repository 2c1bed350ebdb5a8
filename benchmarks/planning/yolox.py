"""The layer shapes of YOLOX-S at 640x640, from arXiv 2107.08430 and this project's own model."""

from planning.shapes import Map, Net

CLASSES = 80


class YoloxS(Net):
    """Width 0.5, depth 0.33."""

    def csp(self, x: Map, c: int, repeats: int, shortcut: bool = True) -> Map:
        """Half of the channels through bottlenecks, half past them."""
        hidden = c // 2
        y, past = self.conv(x, hidden), self.conv(x, hidden)
        for _ in range(repeats):
            z = self.conv(self.conv(y, hidden), hidden, 3)
            y = self.added(z, y) if shortcut else z
        return self.conv(Map(2 * hidden, past.side), c)

    def spp(self, x: Map, c: int) -> Map:
        """Three poolings side by side."""
        y = self.conv(x, x.c // 2)
        for _ in range(3):
            self.other(y, y)
        return self.conv(Map(4 * y.c, y.side), c)

    def joined(self, x: Map, other: Map, c: int) -> Map:
        """A CSP of two maps side by side."""
        return self.csp(Map(x.c + other.c, x.side), c, 1, shortcut=False)

    def head(self, maps: list[Map]) -> None:
        """Box and class apart."""
        for x in maps:
            stem = self.conv(x, 128)
            for outputs in ((CLASSES,), (4, 1)):
                y = self.conv(self.conv(stem, 128, 3), 128, 3)
                for c in outputs:
                    self.conv(y, c)
        places = sum(x.side**2 for x in maps)
        self.moved(places * (5 + CLASSES), places * (5 + CLASSES))


def yolox_s() -> YoloxS:
    """All of it."""
    net = YoloxS()
    x = net.conv(Map(12, 320), 32, 3)  # the focus: four pixels in one place
    x = net.csp(net.conv(x, 64, 3, 2), 64, 1)
    p3 = net.csp(net.conv(x, 128, 3, 2), 128, 3)
    p4 = net.csp(net.conv(p3, 256, 3, 2), 256, 3)
    p5 = net.csp(net.spp(net.conv(p4, 512, 3, 2), 512), 512, 1, shortcut=False)
    lateral = net.conv(p5, 256)
    n4 = net.joined(net.other(lateral, Map(256, p4.side)), p4, 256)
    reduced = net.conv(n4, 128)
    m3 = net.joined(net.other(reduced, Map(128, p3.side)), p3, 128)
    m4 = net.joined(net.conv(m3, 128, 3, 2), reduced, 256)
    m5 = net.joined(net.conv(m4, 256, 3, 2), lateral, 512)
    net.head([m3, m4, m5])
    return net
