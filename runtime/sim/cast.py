"""Draws the things of a frame; those of a kind are made ready at once, for numpy's sake."""

from collections.abc import Sequence

import numpy as np

from stopline.runtime.sim.canvas import Canvas
from stopline.runtime.sim.figures import figures
from stopline.runtime.sim.furniture import Clutter, TrafficLight
from stopline.runtime.sim.people import Person
from stopline.runtime.sim.projection import NEAR_M, Floats
from stopline.runtime.sim.scene import Thing
from stopline.runtime.sim.shade import Place, Stage
from stopline.runtime.sim.signs import RETROREFLECTS, Sign
from stopline.runtime.sim.solids import models
from stopline.runtime.sim.vehicles import Vehicle

SOLID = (Vehicle, Clutter, TrafficLight)


def draw_all(canvas: Canvas, things: Sequence[Thing], stage: Stage) -> None:
    """Draw things in their order, which is from far to near."""
    if not things:
        return
    xz = np.array([(thing.x, thing.z) for thing in things])
    ahead = stage.ahead(xz)
    things, xz, ahead = _in_front(things, xz, ahead)
    reflects = np.array([RETROREFLECTS if isinstance(thing, Sign) else 1.0 for thing in things])
    shade = stage.shades(xz, ahead, reflects)
    people = [k for k, thing in enumerate(things) if isinstance(thing, Person)]
    solids = [k for k, thing in enumerate(things) if isinstance(thing, SOLID)]
    walkers = [thing for thing in things if isinstance(thing, Person)]
    placed = [thing.placed() for thing in things if isinstance(thing, SOLID)]
    figure = dict(zip(people, figures(walkers, shade.of(people), stage), strict=True))
    model = dict(zip(solids, models(placed, shade.of(solids), stage.camera), strict=True))
    for k, thing in enumerate(things):
        place = Place(stage, shade.of(k), float(ahead[k, 2]), float(ahead[k, 0]))
        if isinstance(thing, Person):
            with canvas.object(thing.id, thing.name, place.smear_px):
                canvas.draw(figure[k])
        elif isinstance(thing, SOLID):
            thing.draw_model(canvas, place, model[k])
        else:
            thing.draw(canvas, place)


def _in_front(
    things: Sequence[Thing], xz: Floats, ahead: Floats
) -> tuple[list[Thing], Floats, Floats]:
    """Without the people who are beside or behind the camera: a body is drawn whole."""
    kept = [
        k
        for k, thing in enumerate(things)
        if not isinstance(thing, Person) or ahead[k, 2] > NEAR_M + 0.7
    ]
    return [things[k] for k in kept], xz[kept], ahead[kept]
