"""A rendered street as a camera, with exact truth: this project's `videotestsrc`."""

from stopline.runtime.sim.road import Road, View
from stopline.runtime.sim.settings import CLASSES, RoadSettings
from stopline.runtime.sim.source import RoadCamera
from stopline.runtime.sim.url import Faults, parse_road

__all__ = ["CLASSES", "Faults", "Road", "RoadCamera", "RoadSettings", "View", "parse_road"]
