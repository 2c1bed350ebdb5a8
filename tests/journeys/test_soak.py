"""A run for minutes with everything on and everything failing: it holds no more at its end.

The soak runs beside the other journeys, which are no load it would not meet on a board: a fixture
of the session starts it, and these tests come last.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Soaks

pytestmark = pytest.mark.journey


def report_of(soak: "subprocess.Popen[str]", path: Path) -> dict[str, Any]:
    said, _ = soak.communicate(timeout=420)
    assert path.exists(), said
    report: dict[str, Any] = json.loads(path.read_text())
    report["said"] = said
    return report


@pytest.mark.timeout(480)
def test_a_run_of_five_minutes_grows_in_nothing_and_ends_in_order(soaks: Soaks) -> None:
    report = report_of(soaks.sound, soaks.sound_report)
    assert report["samples_n"] >= 295
    assert {each["quantity"] for each in report["growth"]} == {"rss_mib", "fds", "threads"}
    assert soaks.sound.returncode == 0, report["said"]


@pytest.mark.timeout(480)
def test_planted_leaks_are_caught(soaks: Soaks) -> None:
    report = report_of(soaks.leaking, soaks.leaking_report)
    assert [each["verdict"] for each in report["growth"]] == ["grows"] * 3, report["said"]
    assert soaks.leaking.returncode == 1
