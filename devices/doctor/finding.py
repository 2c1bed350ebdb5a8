"""What was found, what was wanted, and the command that mends it."""

from dataclasses import dataclass
from typing import Literal

# "note": nothing to mend, and nothing to boast of. "unknown": it could not be read, and nothing is
# claimed. "warning": it runs, but not as it could. "problem": something does not work.
Severity = Literal["ok", "note", "unknown", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `command` is for a person to read before it is typed."""

    group: str
    name: str
    severity: Severity
    found: str
    wanted: str | None = None
    command: str | None = None


def ok(group: str, name: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(group, name, "ok", found)


def note(group: str, name: str, found: str) -> Finding:
    """Nothing to do, but it is not there or does not work."""
    return Finding(group, name, "note", found)


def unknown(group: str, name: str, found: str, command: str | None = None) -> Finding:
    """It could not be read; `command` is what would make it readable."""
    return Finding(group, name, "unknown", found, None, command)
