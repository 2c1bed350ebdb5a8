"""A rules file says what it means, or is refused with the place and what to type."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stopline.runtime.alerts.checks import RulesError
from stopline.runtime.alerts.rules import Rules, no_rules, read_rules, rules_from, write_rules
from tests.conftest import ROOT
from tests.runtime.alerts.staged import NAMES

EXAMPLE = ROOT / "docs/examples/rules.json"
GATE: dict[str, Any] = {"points": [[0, 0], [1, 0], [1, 1]]}
PERSON: dict[str, Any] = {"name": "somebody", "class": "person"}


def refusal(**file: Any) -> str:
    with pytest.raises(RulesError) as refused:
        rules_from(json.dumps({"version": 1, **file}).encode(), NAMES)
    return str(refused.value)


def test_a_file_that_says_nothing_is_no_rules() -> None:
    assert rules_from(b'{"version": 1}') == no_rules()


def test_the_example_of_the_docs_is_read_and_the_docs_show_it() -> None:
    rules = read_rules(EXAMPLE, ("person", "stop sign", "car"))
    assert [rule.name for rule in rules.rules] == ["stop sign ahead", "person on the road"]
    assert EXAMPLE.read_text() in (ROOT / "docs/alerts.md").read_text()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"ruls": []}, "there is no field 'ruls': did you mean 'rules'?"),
        (
            {"rules": [PERSON, PERSON | {"name": "b", "held": 1}]},
            "rules[1]: there is no field 'held': did you mean 'held_s'?",
        ),
        (
            {"rules": [PERSON | {"held_s": "1"}]},
            "rules[0].held_s: Expected `float`, got `str`",
        ),
        ({"rules": [PERSON | {"held_s": -1}]}, "rules[0].held_s: Expected `float` >= 0.0"),
        ({"rules": [PERSON | {"growing": 0.01}]}, "rules[0].growing: Expected `float` >= 0.1"),
        (
            {"rules": [PERSON | {"class": "persn"}]},
            "rules[0].class: the detector knows no 'persn': did you mean 'person'?",
        ),
        (
            {"min_score": {"Person": 0.5}},
            "min_score: the detector knows no 'Person': did you mean 'person'?",
        ),
        (
            {"zones": {"gate": GATE}, "rules": [PERSON | {"zone": "gaet"}]},
            "rules[0].zone: there is no zone 'gaet': did you mean 'gate'?",
        ),
        (
            {"rules": [PERSON | {"zone": "gate"}]},
            "rules[0].zone: there is no zone 'gate', nor any other",
        ),
        ({"rules": [PERSON, PERSON]}, "rules[1].name: 'somebody' is also rules[0]"),
        (
            {
                "zones": {"gate": GATE | {"camera": "a"}},
                "rules": [PERSON | {"zone": "gate", "camera": "b"}],
            },
            "rules[0].camera: 'b', but the zone 'gate' is of 'a'",
        ),
        (
            {"zones": {"gate": {"points": [[0, 0], [1, 0]]}}},
            "points: Expected `array` of length >= 3",
        ),
        (
            {"zones": {"gate": {"points": [[0, 0], [1.5, 0], [1, 1]]}}},
            "zones.gate.points[1]: [1.5, 0] is outside the frame",
        ),
        (
            {"zones": {"gate": {"points": [[0, 0], [1, 1], [1, 0], [0, 1]]}}},
            "zones.gate.points: the edge from [0, 0] to [1, 1] meets the edge from [1, 0] to "
            "[0, 1]",
        ),
        (
            {"zones": {"gate": {"points": [[0, 0], [0.5, 0], [1, 0]]}}},
            "zones.gate.points: encloses nothing",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(file: dict[str, Any], said: str) -> None:
    assert said in refusal(**file)


def test_classes_are_not_checked_while_no_detector_is_known() -> None:
    rules = rules_from(json.dumps({"version": 1, "rules": [PERSON | {"class": "yeti"}]}).encode())
    assert rules.rules[0].kind == "yeti"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "line 1, column 2"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"version": 2}', "version: Invalid enum value 2"),
        (b"{}", "missing required field `version`"),
        (b'{"version": 1, "version": 1}', "'version' is there twice"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_rules_file_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(RulesError, match=re.escape(said)):
        rules_from(text)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"version": 3}')
    with pytest.raises(RulesError, match=r"mine\.json: version: "):
        read_rules(tmp_path / "mine.json")


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "video.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(RulesError, match="larger than 1 MiB"):
        read_rules(tmp_path / "video.json")


def full() -> Rules:
    text = {"version": 1, "zones": {"gate": GATE}, "rules": [PERSON | {"zone": "gate"}]}
    return rules_from(json.dumps(text | {"min_score": {"person": 0.4}}).encode())


def test_what_is_written_is_read_again_and_keeps_the_mode_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('{"version": 1}')
    path.chmod(0o640)
    write_rules(path, full())
    assert read_rules(path) == full()
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_rules(tmp_path / "rules.json", full())
    finally:
        os.umask(before)
    assert (tmp_path / "rules.json").stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_at_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    write_rules(tmp_path / "there/rules.json", no_rules())
    (tmp_path / "rules.json").symlink_to("there/rules.json")
    write_rules(tmp_path / "rules.json", full())
    assert (tmp_path / "rules.json").is_symlink()
    assert read_rules(tmp_path / "there/rules.json") == full()


def test_rules_that_could_not_be_read_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    write_rules(path, no_rules())
    wrong = Rules(version=1, rules=(*full().rules, *full().rules), zones=full().zones)
    with pytest.raises(RulesError, match="is also"):
        write_rules(path, wrong)
    assert read_rules(path) == no_rules()


WRITE = """
import resource, sys
from pathlib import Path
from stopline.runtime.alerts.rules import write_rules
from tests.runtime.alerts.test_rules import full
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))  # not before: imports write files too
write_rules(Path(sys.argv[1]), full())
"""


def test_a_full_disk_leaves_the_rules_of_before(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    write_rules(path, no_rules())
    ended = subprocess.run(
        [sys.executable, "-c", WRITE, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert "OSError" in ended.stderr
    assert read_rules(path) == no_rules()
    assert list(tmp_path.iterdir()) == [path]
