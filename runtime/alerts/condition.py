"""A rule made ready to be asked of a frame: for which objects does it hold?"""

from dataclasses import dataclass
from functools import cached_property

from stopline.runtime.alerts.rules import Rule, Rules, Zone
from stopline.runtime.alerts.seen import Seen
from stopline.runtime.alerts.zones import Polygon


@dataclass(frozen=True)
class Condition:
    """A rule with its zone. Equal ones are the same condition, whatever else the file says."""

    rule: Rule
    zone: Zone | None

    def __hash__(self) -> int:
        """Quickly: it is asked for several times a frame."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.rule, self.zone))

    @cached_property
    def polygon(self) -> Polygon | None:
        """Its zone's."""
        return None if self.zone is None else Polygon(self.zone.points)

    def of_camera(self, camera: str) -> bool:
        """Whether it is about that camera."""
        of_zone = None if self.zone is None else self.zone.camera
        return self.rule.camera in (None, camera) and of_zone in (None, camera)

    def holding(self, seen: Seen) -> set[int]:
        """The tracks for which it holds."""
        there = seen.tracks_of(self.rule.kind)
        if there and self.polygon is not None:
            there = there & seen.tracks_in(self.polygon, self.rule.touch)
        if self.rule.growing is None:
            return there
        return {track for track in there if seen.grows_by(track) >= self.rule.growing}


def conditions_of(rules: Rules) -> tuple[Condition, ...]:
    """One for each rule."""
    return tuple(
        Condition(rule, None if rule.zone is None else rules.zones[rule.zone])
        for rule in rules.rules
    )
