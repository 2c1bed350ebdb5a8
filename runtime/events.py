"""What happens beside results, and is told once in every sink."""

import time
from datetime import datetime, timedelta, timezone
from typing import Literal, TypeAlias

import msgspec


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    at_ns: int  # `time.monotonic_ns()`, the clock of `captured_ns`
    utc: str  # the same moment as people and other machines write it


class Alert(_Event, frozen=True, kw_only=True, tag="alert"):
    """A rule began to hold for an object, or ceased to. `id` names both, and the clip of it."""

    id: str
    phase: Literal["began", "ended"]
    rule: str
    camera: str
    zone: str | None
    name: str  # of the object's class
    track: int
    box: tuple[float, float, float, float]  # xyxy, pixels of the source frame, when last seen
    held_s: float  # for how long the rule has held
    why: str | None = None  # it ended, where that was not seen: the camera was LOST, the run over


class Step(_Event, frozen=True, kw_only=True, tag="step"):
    """The governor went to another rung of its ladder: 0 is all that was asked for."""

    level: int
    rung: str
    why: str


class Reloaded(_Event, frozen=True, kw_only=True, tag="reloaded"):
    """The rules were read again; with an `error` the ones before stay in force."""

    path: str
    error: str | None


class SinkTrouble(_Event, frozen=True, kw_only=True, tag="sink"):
    """A sink began to fail, or with no `error` works again; `lost` is what it has not written."""

    sink: str
    error: str | None
    lost: int


Event: TypeAlias = Alert | Step | Reloaded | SinkTrouble


def utc_at(at_ns: int, now_ns: int | None = None) -> str:
    """That moment of `time.monotonic_ns()` in ISO 8601: 2026-11-24T12:00:00.000Z."""
    since_ns = (time.monotonic_ns() if now_ns is None else now_ns) - at_ns
    then = datetime.now(timezone.utc) - timedelta(microseconds=since_ns / 1000)
    return f"{then:%Y-%m-%dT%H:%M:%S}.{then.microsecond // 1000:03}Z"
