"""Results in, alerts out."""

import secrets
import time
from collections.abc import Iterable

from stopline.runtime.alerts.condition import Condition, conditions_of
from stopline.runtime.alerts.holding import Turn
from stopline.runtime.alerts.rules import Rules
from stopline.runtime.alerts.scene import Change, Scene
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.events import Alert, utc_at
from stopline.runtime.frame import CameraState, Result


class Watch:
    """`watch(result)` for every result, in order, gives the alerts that begin or end with it.

    An alert is of one object, which is known by its track. While a camera is STALE nothing begins
    or ends; when it is LOST or over, what was begun ends, and says why.
    """

    def __init__(self, rules: Rules, clock: Clock = time.monotonic_ns) -> None:
        self._clock = clock
        self._scenes: dict[str, Scene] = {}
        self.rules = rules

    @property
    def rules(self) -> Rules:
        """What is in force. May be set at any time, from any thread.

        With a camera's next result, what was begun by a rule that is no longer there ends; rules
        that are the same, zone and all, go on as if nothing had happened.
        """
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        # One assignment, which no other thread can see half done.
        self._in_force = conditions_of(rules)
        self._rules = rules

    @property
    def remembered(self) -> int:
        """How many objects it holds something of, which must not grow over weeks."""
        return sum(scene.remembered for scene in self._scenes.values())

    def __call__(self, result: Result) -> list[Alert]:
        """Raise ValueError for objects without numbers: without tracking, or in single images."""
        conditions = tuple(one for one in self._in_force if one.of_camera(result.camera))
        scene = self._scenes.setdefault(result.camera, Scene())
        alerts = self._told(scene.dropped(conditions), result.camera, "rules changed")
        if result.frame is not None:
            seen = scene.see(result, result.frame, conditions) if conditions else []
            captured_ns = result.frame.captured_ns
            return alerts + self._told(seen, result.camera, None, captured_ns)
        if result.state in (CameraState.LOST, CameraState.ENDED):
            alerts += self._told(scene.over(), result.camera, f"camera {result.state.value}")
            del self._scenes[result.camera]
        else:
            scene.blind()
        return alerts

    def over(self) -> list[Alert]:
        """The run ends: what was begun does too."""
        alerts = []
        for camera, scene in self._scenes.items():
            alerts += self._told(scene.over(), camera, "run over")
        self._scenes.clear()
        return alerts

    def _told(
        self, changes: Iterable[Change], camera: str, why: str | None, at_ns: int | None = None
    ) -> list[Alert]:
        alerts = []
        for change in changes:
            now_ns = self._clock()
            at_ns = now_ns if at_ns is None else at_ns
            utc = utc_at(at_ns, now_ns)
            holding = change.holding
            if change.turn is Turn.BEGAN:
                holding.id = _new_id(utc, change.condition)
            alerts.append(_alert(change, camera, why, (at_ns, utc)))
        return alerts


def _alert(change: Change, camera: str, why: str | None, moment: tuple[int, str]) -> Alert:
    rule, holding = change.condition.rule, change.holding
    assert holding.id is not None
    return Alert(
        at_ns=moment[0],
        utc=moment[1],
        id=holding.id,
        phase="began" if change.turn is Turn.BEGAN else "ended",
        rule=rule.name,
        camera=camera,
        zone=rule.zone,
        name=rule.kind,
        track=change.track,
        box=change.box,
        held_s=round(holding.held_s, 3),
        why=why,
    )


def _new_id(utc: str, condition: Condition) -> str:
    """Sorts by time, names the rule, may be a file's name, and is nobody else's."""
    when = utc.translate({ord(mark): None for mark in "-:."})
    plain = "".join(letter if letter.isalnum() else "-" for letter in condition.rule.name.lower())
    ascii_only = plain.encode("ascii", "replace").decode().replace("?", "-").strip("-") or "rule"
    return f"{when}-{ascii_only[:40]}-{secrets.token_hex(3)}"
