"""The bonnet of the camera's own car, where the camera sees it."""

import numpy as np

from stopline.runtime.sim.canvas import Canvas, Colour, bgr
from stopline.runtime.sim.chance import between, dice, one_of
from stopline.runtime.sim.light import Light
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.street import Rig
from stopline.runtime.sim.vehicles import CAR_PAINTS

BONNET_KEY = 22
BANDS = 7  # of brightness: it mirrors the sky the more the farther away


class Bonnet:
    """A dark curve at the lower edge of the image, the same in every frame."""

    def __init__(self, settings: RoadSettings, rig: Rig, light: Light) -> None:
        rng = dice(settings.seed, BONNET_KEY)
        self._bands: list[tuple[Floats, Colour]] = []
        if rig.bonnet == 0:
            return
        paint = np.array(one_of(rng, CAR_PAINTS), float)
        lit = paint * (0.5 * light.ambient + 0.3 * light.sun)
        width, height = settings.width, settings.height
        bulge = between(rng, 0.25, 0.6)
        for k in range(BANDS):
            deep = rig.bonnet * height * (1 - 0.8 * k / BANDS)
            x = np.linspace(-0.1, 1.1, 25)
            top = height - deep * (1 - bulge * (2 * x - 1) ** 2)
            curve = np.stack([x * width, top], 1)
            corners = np.array([[1.1 * width, height + 2], [-0.1 * width, height + 2]])
            mirrored = 0.42 * (1 - k / BANDS) ** 2
            colour = lit + mirrored * (light.horizon - lit)
            self._bands.append((np.concatenate([curve, corners]), bgr(colour)))

    def draw(self, canvas: Canvas) -> None:
        """Nothing where the camera is mounted too high to see it."""
        for k, (outline, colour) in enumerate(self._bands):
            (canvas.polygons if k == 0 else canvas.details)(outline[None], [colour])
