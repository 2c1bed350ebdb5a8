"""Zones and rules as the page changes them: checked as a file's are, and in force at once."""

from typing import Protocol

import msgspec

from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Name, Rule, Rules, Zone


class Book(Protocol):
    """Where the rules in force are kept: `alerts.book.RulesBook`."""

    @property
    def rules(self) -> Rules:
        """Those in force."""

    def replace(self, rules: Rules) -> None:
        """Raise RulesError or OSError and change nothing, or have these in force and kept."""


class NewZone(msgspec.Struct, forbid_unknown_fields=True):
    """What is drawn on the page: a zone, and what to watch for in it."""

    name: Name
    zone: Zone
    rule: Rule | None = None


def with_zone(rules: Rules, text: bytes) -> Rules:
    """And with a new one; raises RulesError, also for one that is there already."""
    try:
        new = msgspec.json.decode(text, type=NewZone)
    except msgspec.DecodeError as error:
        raise RulesError(str(error)) from None
    if new.name in rules.zones:
        raise RulesError(f"there is a zone {new.name!r} already: choose another name")
    return msgspec.structs.replace(
        rules,
        zones={**rules.zones, new.name: new.zone},
        rules=rules.rules if new.rule is None else (*rules.rules, new.rule),
    )


def without_zone(rules: Rules, name: str) -> Rules:
    """Nor the rules that need it; raises KeyError if it is not there."""
    zones = dict(rules.zones)
    del zones[name]
    kept = tuple(rule for rule in rules.rules if rule.zone != name)
    return msgspec.structs.replace(rules, zones=zones, rules=kept)
