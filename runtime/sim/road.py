"""The street as a function of time."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes, Image
from stopline.runtime.sim.bonnet import Bonnet
from stopline.runtime.sim.canvas import GROUND, Canvas
from stopline.runtime.sim.cast import draw_all
from stopline.runtime.sim.ground import Ground, row_of
from stopline.runtime.sim.light import light_of
from stopline.runtime.sim.markings import Markings
from stopline.runtime.sim.scene import Scene, Thing
from stopline.runtime.sim.sensor import Sensor
from stopline.runtime.sim.settings import RoadSettings
from stopline.runtime.sim.shade import Stage
from stopline.runtime.sim.shadows import GroundLight
from stopline.runtime.sim.sky import Sky
from stopline.runtime.sim.street import camera_at, rig_of, street_of
from stopline.runtime.sim.weather import Weather

FARTHEST_M = 400.0  # ground farther away is as good as the horizon


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame and all that is in it, a row of each array for one object."""

    image: Image
    boxes: Boxes  # (n, 4) float32 xyxy, pixels: the whole object, hidden parts too, clipped
    names: tuple[str, ...]
    visibility: NDArray[np.floating[Any]]  # (n,) share of its pixels that nothing hides
    ids: NDArray[np.integer[Any]]  # (n,) track numbers, the same object the same number


class Road:
    """A street that a camera drives along."""

    def __init__(self, settings: RoadSettings | None = None) -> None:
        self.settings = settings or RoadSettings()
        self._street = street_of(self.settings)
        self._rig = rig_of(self.settings, self._street)
        self._light = light_of(self.settings)
        camera = camera_at(self.settings, self._rig, 0.0)
        self._sky = Sky(self.settings, self._street, self._light, camera)
        self._ground = Ground(self.settings, self._street, self._light)
        self._markings = Markings(self.settings.seed, self._street, self._ground.paint, self._light)
        self._ground_light = GroundLight(self._light, camera)
        self._scene = Scene(self.settings, self._street, self._rig, self._light)
        self._weather = Weather(self.settings, self._light)
        self._bonnet = Bonnet(self.settings, self._rig, self._light)
        self._sensor = Sensor(self.settings, self._light)

    def view(self, t_s: float, without: Collection[int] = ()) -> View:
        """What the camera sees at a time, in any order of calls.

        The bodies of the objects numbered in `without` are left out, not their shadows or glow:
        the difference of two views is what an object alone puts into the image.
        """
        camera = camera_at(self.settings, self._rig, t_s)
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        canvas = Canvas(image, camera, frozenset(without))
        lamps, walls = self._scene.lamps(camera), self._scene.walls(camera)
        stage = Stage(self._light, camera, self.settings.speed_mps, lamps, walls)
        things = self._scene.at(t_s, camera)
        self._draw_ground(canvas, stage, things)
        draw_all(canvas, things, stage)
        self._weather.wet(canvas)
        self._weather.fall(image, t_s)
        self._bonnet.draw(canvas)
        canvas.image = self._sensor.expose(image, t_s)
        return _view(canvas)

    def _draw_ground(self, canvas: Canvas, stage: Stage, things: list[Thing]) -> None:
        self._sky.paint(canvas.image, stage.camera)
        self._ground.draw(canvas.image, stage.camera)
        junctions = list(self._scene.junctions(stage.camera))
        for _, start, _ in junctions:
            self._ground.draw_junction(canvas, start)
        self._markings.draw(canvas, junctions)
        self._ground_light.apply(canvas.image, stage, things)
        canvas.labels[row_of(stage.camera, FARTHEST_M) :] = GROUND


def _view(canvas: Canvas) -> View:
    height, width = canvas.labels.shape
    rows = []
    for label, drawn in enumerate(canvas.drawn, start=1):
        box = np.clip(drawn.box, 0, [width, height, width, height])
        if drawn.pixels and box[2] > box[0] and box[3] > box[1]:
            share = canvas.count(drawn, label) / drawn.pixels
            rows.append((box, drawn.name, share, drawn.id))
    return View(
        canvas.image,
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.int64),
    )
