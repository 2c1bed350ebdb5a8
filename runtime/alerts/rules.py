"""The rules file: zones, and what somebody wants to be told of; typed, versioned and strict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from stopline.runtime.alerts.checks import RulesError, check_json, near_miss, place_of
from stopline.runtime.alerts.zones import Point, area, crossing_edges
from stopline.runtime.atomic import write_atomically

MAX_BYTES = 1 << 20
LEAST_AREA = 1e-4  # of the frame; less is a slip of the mouse

Name = Annotated[str, msgspec.Meta(pattern=r"^\S(.{0,62}\S)?$")]  # printable at a glance
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Vertices = Annotated[tuple[tuple[float, float], ...], msgspec.Meta(min_length=3, max_length=64)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every part of a rules file: immutable, and a field it does not know is an error."""


class Zone(_Part, frozen=True, omit_defaults=True):
    """A part of the frame."""

    points: Vertices  # of a polygon, x and y as shares of the frame from its upper left corner
    camera: str | None = None  # as its source was typed; None: of every camera


class Rule(_Part, frozen=True, omit_defaults=True):
    """An object of a class, in a zone, for so long."""

    name: Name
    kind: str = msgspec.field(name="class")
    zone: str | None = None  # None: anywhere
    camera: str | None = None  # None: any
    touch: Literal["ground", "any"] = "ground"  # what must be in the zone: its foot, or any part
    held_s: Seconds = 0.3  # the alert begins when the rule has held for so long
    gone_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = (
        1.0  # and ends when it has not for so long
    )
    # How fast it comes closer, in 1/s: at 0.2, what moves on like this arrives within 5 s.
    # Slower than 0.1 cannot be told from how detected boxes jitter.
    growing: Annotated[float, msgspec.Meta(ge=0.1, le=10)] | None = None


class Rules(_Part, frozen=True):
    """All of a file. `min_score` is from where on a class is reported, where not as usual."""

    version: Literal[1]
    zones: Annotated[Mapping[Name, Zone], msgspec.Meta(max_length=64)] = {}
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=64)] = ()
    min_score: Mapping[str, Share] = {}


def no_rules() -> Rules:
    """What is in force before anybody wrote any."""
    return Rules(version=1)


def read_rules(path: Path, names: tuple[str, ...] | None = None) -> Rules:
    """Read and check a file; `names` are the classes that the detector knows, if that is known.

    Raises OSError, or RulesError for what is wrong in it and where.
    """
    with path.open("rb") as opened:
        text = opened.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise RulesError(f"{path} is larger than {MAX_BYTES >> 20} MiB: wanted a rules file")
    try:
        return rules_from(text, names)
    except RulesError as error:
        raise RulesError(f"{path}: {error}") from None


def rules_from(text: bytes, names: tuple[str, ...] | None = None) -> Rules:
    """The same from JSON; raises RulesError."""
    check_json(text)
    try:
        rules = msgspec.json.decode(text, type=Rules)
    except msgspec.ValidationError as error:
        raise RulesError(place_of(error, (Rules, Rule, Zone))) from None
    check_rules(rules, names)
    return rules


def write_rules(path: Path, rules: Rules) -> None:
    """Replace the file, at once and for good; it keeps its mode. Raises RulesError or OSError."""
    check_rules(rules)
    text = msgspec.json.format(msgspec.json.encode(rules), indent=2)
    write_atomically(path, text + b"\n")


def check_rules(rules: Rules, names: tuple[str, ...] | None = None) -> None:
    """Raise RulesError for what types cannot say: crossed polygons, names of nothing."""
    for name, zone in rules.zones.items():
        _check_zone(f"zones.{name}", zone)
    seen: dict[str, int] = {}
    for nth, rule in enumerate(rules.rules):
        _check_rule(f"rules[{nth}]", rule, rules, names)
        if rule.name in seen:
            raise RulesError(
                f"rules[{nth}].name: {rule.name!r} is also rules[{seen[rule.name]}]: "
                "give it a name of its own"
            )
        seen[rule.name] = nth
    for kind in rules.min_score:
        _check_class("min_score", kind, names)


def _check_zone(place: str, zone: Zone) -> None:
    for nth, point in enumerate(zone.points):
        if not all(0 <= share <= 1 for share in point):
            raise RulesError(
                f"{place}.points[{nth}]: {_shown(point)} is outside the frame: x and y are shares "
                "of its width and height, 0 to 1"
            )
    if (crossing := crossing_edges(zone.points)) is not None:
        one, other = (
            f"from {_shown(zone.points[k])} to {_shown(zone.points[(k + 1) % len(zone.points)])}"
            for k in crossing
        )
        raise RulesError(
            f"{place}.points: the edge {one} meets the edge {other}: "
            "give the corners in the order in which one walks around the zone"
        )
    if area(zone.points) < LEAST_AREA:
        raise RulesError(f"{place}.points: encloses nothing: the corners must not lie on one line")


def _check_rule(place: str, rule: Rule, rules: Rules, names: tuple[str, ...] | None) -> None:
    _check_class(f"{place}.class", rule.kind, names)
    if rule.zone is None:
        return
    if rule.zone not in rules.zones:
        raise RulesError(
            f"{place}.zone: there is no zone {rule.zone!r}{near_miss(rule.zone, rules.zones)}"
        )
    of = rules.zones[rule.zone].camera
    if rule.camera is not None and of is not None and rule.camera != of:
        raise RulesError(
            f"{place}.camera: {rule.camera!r}, but the zone {rule.zone!r} is of {of!r}: "
            "leave the rule's camera out"
        )


def _check_class(place: str, kind: str, names: tuple[str, ...] | None) -> None:
    if names is not None and kind not in names:
        raise RulesError(f"{place}: the detector knows no {kind!r}{near_miss(kind, names)}")


def _shown(point: Point) -> str:
    return f"[{point[0]:g}, {point[1]:g}]"
