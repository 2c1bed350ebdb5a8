"""What the page may do to the rules."""

import pytest

from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Rule, Rules, Zone, no_rules
from stopline.runtime.sinks.view.zones import with_zone, without_zone

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
NEW = b"""{"name": "A", "zone": {"points": [[0, 0], [1, 0], [1, 1]]},
           "rule": {"name": "person in A", "class": "person", "zone": "A", "held_s": 0.5}}"""


def test_a_zone_comes_with_its_rule_and_goes_with_it() -> None:
    rules = with_zone(no_rules(), NEW)
    assert rules.zones == {"A": Zone(points=SQUARE)}
    assert [rule.held_s for rule in rules.rules] == [0.5]
    assert without_zone(rules, "A") == no_rules()


def test_what_has_nothing_to_do_with_a_zone_stays() -> None:
    anywhere = Rule(name="stop", kind="stop sign")
    rules = Rules(version=1, rules=(anywhere,), zones={"B": Zone(points=SQUARE)})
    assert without_zone(with_zone(rules, NEW), "A") == rules


def test_a_name_is_not_taken_from_a_zone_that_has_it() -> None:
    with pytest.raises(RulesError, match="there is a zone 'A' already"):
        with_zone(with_zone(no_rules(), NEW), NEW)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": "A"}',
        NEW.replace(b"held_s", b"hold_s"),
        b'{"name": " ", "zone": 1}',
    ],
)
def test_what_is_no_zone_is_refused(text: bytes) -> None:
    with pytest.raises(RulesError):
        with_zone(no_rules(), text)


def test_a_zone_that_is_not_there_cannot_go() -> None:
    with pytest.raises(KeyError):
        without_zone(no_rules(), "A")
