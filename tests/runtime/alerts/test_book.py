"""The rules in force and those in the file are the same, or the file was refused."""

from pathlib import Path

import msgspec
import pytest

from stopline.runtime.alerts.book import RulesBook
from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Rule, Rules, no_rules, read_rules, write_rules
from stopline.runtime.alerts.watch import Watch
from tests.runtime.alerts.staged import LEFT, NAMES, rules_of

SOMEBODY = rules_of(Rule(name="somebody", kind="person", zone="left"))
YETI = rules_of(Rule(name="yeti", kind="yeti"))


def opened(path: Path | None, rules: Rules | None = None) -> tuple[RulesBook, Watch]:
    watch = Watch(rules or no_rules())
    return RulesBook(watch, NAMES, path), watch


def test_other_rules_are_in_force_and_in_the_file(tmp_path: Path) -> None:
    book, watch = opened(tmp_path / "rules.json")
    book.replace(SOMEBODY)
    assert watch.rules is book.rules is SOMEBODY
    assert read_rules(tmp_path / "rules.json") == SOMEBODY


def test_without_a_file_they_are_in_force_only(tmp_path: Path) -> None:
    book, watch = opened(None)
    book.replace(SOMEBODY)
    assert watch.rules == SOMEBODY
    assert "--rules" in str(book.reload().error)


def test_rules_that_cannot_be_followed_change_nothing(tmp_path: Path) -> None:
    book, watch = opened(tmp_path / "rules.json")
    with pytest.raises(RulesError, match="knows no 'yeti'"):
        book.replace(YETI)
    crossed = msgspec.structs.replace(LEFT, points=((0, 0), (1, 1), (1, 0), (0, 1)))
    with pytest.raises(RulesError, match="meets the edge"):
        book.replace(rules_of(zones={"left": crossed}))
    assert watch.rules == no_rules()
    assert not (tmp_path / "rules.json").exists()


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    book, watch = opened(tmp_path / "gone" / "rules.json")
    with pytest.raises(OSError, match="gone"):
        book.replace(SOMEBODY)
    assert watch.rules == no_rules()


def test_a_file_is_read_again_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    book, watch = opened(path)
    write_rules(path, SOMEBODY)
    event = book.reload()
    assert (event.path, event.error) == (str(path), None)
    assert watch.rules == SOMEBODY


@pytest.mark.parametrize("text", ["{", '{"version": 1, "rules": [{"name": "y", "class": "yeti"}]}'])
def test_a_file_with_a_mistake_leaves_the_rules_of_before_in_force(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "rules.json"
    book, watch = opened(path, SOMEBODY)
    path.write_text(text)
    assert "rules.json" in str(book.reload().error)
    path.unlink()
    assert "No such file" in str(book.reload().error)
    assert watch.rules == SOMEBODY
