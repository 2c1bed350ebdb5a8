"""What journeys share."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"
# Buffers still fill up in the first minutes, the more so beside a training: less than that a few
# minutes cannot tell. The half hour of docs/running.md is held to 8.
MOST_MIB = "200"


@dataclass(frozen=True, slots=True)
class Soaks:
    """Under way since the session began."""

    sound: "subprocess.Popen[str]"
    sound_report: Path
    leaking: "subprocess.Popen[str]"
    leaking_report: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The soaks are waited for when nothing else is left to do."""
    items.sort(key=lambda item: item.path.name == "test_soak.py")


@pytest.fixture(scope="session", autouse=True)
def soaks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Soaks | None]:
    """None where no test wants them."""
    if not any(item.path.name == "test_soak.py" for item in request.session.items):
        yield None
        return
    work = tmp_path_factory.mktemp("soak")
    sound_report, leaking_report = work / "sound.json", work / "leaking.json"
    sound = _started("--minutes", "5", "--json", str(sound_report))
    leaking = _started("--minutes", "2", "--plant", "--json", str(leaking_report))
    try:
        yield Soaks(sound, sound_report, leaking, leaking_report)
    finally:
        for soak in (sound, leaking):
            soak.terminate()
            soak.wait(30)


def _started(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SOAK), "--most-mib", MOST_MIB, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
