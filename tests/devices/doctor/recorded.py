"""Recorded machines: a root file system, and what its commands answer."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stopline.devices.doctor.examination import Examination
from stopline.devices.doctor.host import PATIENCE_S, Host, Said
from stopline.runtime.backends.engine import Here
from stopline.runtime.backends.tensorrt_library import Library
from stopline.runtime.bundle import Bundle
from tests.runtime.engines import record_for, shelve
from tests.runtime.tiny import tiny_bundle

ROOTS = Path(__file__).parent / "roots"
COMMANDS = "commands.json"
# Engines as `stopline build` would have left them there.
ENGINES = {
    "jetpack-6.2": Here("Orin", "8.7", Library("tensorrt", "10.3.0")),
    "jetpack-7": Here("NVIDIA Thor", "11.0", Library("tensorrt", "10.13.3.9")),
    "desktop": Here("NVIDIA GeForce RTX 4060", "8.9", Library("tensorrt", "10.13.3.9")),
}


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    code: int
    out: list[str]
    error: list[str] = []


class Recorded:
    """Answers as was written down; a command that was not is not installed."""

    def __init__(self, answers: dict[str, Answer | None]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str], patience_s: float = PATIENCE_S) -> Said | None:
        line = " ".join(command)
        self.asked.append(line)
        answer = self.answers.get(line)
        if answer is None:
            return None
        return Said(answer.code, "\n".join(answer.out), "\n".join(answer.error))


def recorded(machine: str, where: Path, *, planted: bool) -> Host:
    """The machine as it should be, or with what is wrong laid over it."""
    answers: dict[str, Answer | None] = {}
    for layer in ["healthy", *(["planted"] if planted else [])]:
        root = ROOTS / machine / layer
        ignored = shutil.ignore_patterns(COMMANDS)
        shutil.copytree(root, where, dirs_exist_ok=True, ignore=ignored)
        content = (root / COMMANDS).read_bytes()
        answers |= msgspec.json.decode(content, type=dict[str, Answer | None])
    return Host(where, Recorded(answers))


def bundle_for(machine: str, where: Path) -> Bundle:
    bundle = tiny_bundle(where)
    if machine in ENGINES:
        shelve(bundle, record_for(bundle, ENGINES[machine]))
    return bundle


def amiss(found: Examination) -> dict[str, tuple[str, str | None]]:
    return {
        one.name: (one.severity, one.command)
        for one in found.findings
        if one.severity not in ("ok", "note")
    }
