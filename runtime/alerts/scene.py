"""What is known of one camera: which rules hold there, for what, and for how long."""

from collections.abc import Iterator
from typing import NamedTuple

from stopline.runtime.alerts.condition import Condition
from stopline.runtime.alerts.growth import Growth
from stopline.runtime.alerts.holding import Holding, Turn
from stopline.runtime.alerts.seen import Box, Seen
from stopline.runtime.frame import Frame, Result

# The deadline may cost a single answer; what nobody saw for longer is unknown.
BLINK_NS = 500_000_000


class Change(NamedTuple):
    """An alert that begins or ends."""

    condition: Condition
    track: int
    holding: Holding
    turn: Turn
    box: Box


class Scene:
    """Of one camera. Its time stands still while nobody knows what the camera sees."""

    def __init__(self) -> None:
        self._states: dict[Condition, dict[int, Holding]] = {}
        self._boxes: dict[int, Box] = {}  # pixels, of every object that has a state
        self._growth = Growth()
        self._last_ns: int | None = None
        self._known_ns = 0
        self._blind = False

    @property
    def remembered(self) -> int:
        """How many objects it holds something of; what is gone must be forgotten."""
        states = sum(len(of_one) for of_one in self._states.values())
        return states + len(self._boxes) + len(self._growth)

    def blind(self) -> None:
        """Nobody knows what it sees, until the next frame: nothing begins, nothing ends."""
        self._blind = True

    def see(self, result: Result, frame: Frame, conditions: tuple[Condition, ...]) -> list[Change]:
        """Take one frame; raises ValueError for objects without numbers."""
        scene_ns = frame.captured_ns if result.scene_ns is None else result.scene_ns
        now_ns = self._advance(scene_ns)
        _check_numbers(result)
        height, width = frame.image.shape[:2]
        seen = Seen(result.detections, (height, width), self._growth)
        if kinds := {one.rule.kind for one in conditions if one.rule.growing is not None}:
            seen.measure(kinds, scene_ns)
        self._boxes |= {track: seen.boxes[track] for track in self._boxes.keys() & seen.boxes}
        changes: list[Change] = []
        for condition in conditions:
            changes += self._judge(condition, seen, now_ns)
        self._boxes = {
            track: self._boxes[track] for of_one in self._states.values() for track in of_one
        }
        return changes

    def dropped(self, conditions: tuple[Condition, ...]) -> Iterator[Change]:
        """End what was begun by rules that are in force no more."""
        for condition in [one for one in self._states if one not in conditions]:
            yield from self._ended(condition)

    def over(self) -> Iterator[Change]:
        """End all that was begun."""
        for condition in list(self._states):
            yield from self._ended(condition)

    def _advance(self, scene_ns: int) -> int:
        elapsed_ns = 0 if self._last_ns is None else scene_ns - self._last_ns
        if not (self._blind and elapsed_ns > BLINK_NS):
            self._known_ns += elapsed_ns
        self._last_ns, self._blind = scene_ns, False
        return self._known_ns

    def _judge(self, condition: Condition, seen: Seen, now_ns: int) -> Iterator[Change]:
        states = self._states.setdefault(condition, {})
        holding = condition.holding(seen)
        for track in holding - states.keys():
            states[track] = Holding(now_ns, now_ns)
            self._boxes[track] = seen.boxes[track]
        for track, state in list(states.items()):
            turn = state.see(track in holding, condition.rule, now_ns)
            if turn in (Turn.ENDED, Turn.FORGOTTEN):
                del states[track]
            if turn in (Turn.BEGAN, Turn.ENDED):
                yield Change(condition, track, state, turn, self._boxes[track])
        if not states:
            del self._states[condition]

    def _ended(self, condition: Condition) -> Iterator[Change]:
        for track, state in self._states.pop(condition).items():
            if state.id is not None:
                yield Change(condition, track, state, Turn.ENDED, self._boxes[track])


def _check_numbers(result: Result) -> None:
    if result.detections.tracks is None and len(result.detections):
        raise ValueError(
            f"the objects of {result.camera!r} have no numbers, so that no rule can hold for one: "
            "wanted tracking, and a camera or video, not single images; or no rules"
        )
