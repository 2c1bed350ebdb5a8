"""What the governor does on a run that was recorded, while other work took its cores.

`traces/record.py` says how. Nothing was given up in the recording, so this asks when it would be.
"""

import csv
from pathlib import Path

from stopline.runtime.governor.governor import Governor, GovernorSettings
from stopline.runtime.governor.ladder import ladder_for
from tests.runtime.governor.giving import Answer, Clock, Given, give

TRACE = Path(__file__).parent / "traces" / "overload.csv"
QUIET_S, BUSY_S = 8.0, 12.0  # before the other work came, and how long it stayed


def replayed(deadline_s: float) -> Given:
    """The whole recording, by the default settings."""
    with TRACE.open(encoding="ascii") as file:
        answers = [
            Answer(
                float(row["at_ms"]),
                float(row["age_ms"]) if row["age_ms"] else None,
                row["camera"],
                float(row["decode_ms"]),
            )
            for row in csv.DictReader(file)
        ]
    clock = Clock()
    ladder = ladder_for(deadline_s, 2, fallback=True, camera_fps=5)
    return give(Governor(ladder, GovernorSettings(deadline_s), None, clock), clock, answers)


def test_while_the_machine_is_quiet_nothing_is_given_up() -> None:
    assert min(replayed(deadline_s=1.0).at_s) > QUIET_S


def test_it_steps_down_at_the_third_late_answer_and_again_while_it_lasts() -> None:
    """Which is within six seconds of the overload: then an answer took more than one."""
    given = replayed(deadline_s=1.0)
    assert given.at_s[0] <= QUIET_S + 6
    assert given.steps[0].why.startswith("too slow: 3 of ")
    assert given.levels[:2] == [1, 2]
    assert given.at_s[1] <= QUIET_S + BUSY_S


def test_it_steps_up_again_once_the_machine_was_quiet_for_long_enough() -> None:
    given = replayed(deadline_s=1.0)
    lowest = max(given.levels)
    assert given.levels == [*range(1, lowest + 1), lowest - 1]
    assert given.at_s[-1] - given.at_s[-2] >= 10
    assert given.steps[-1].why.startswith("fast enough: ")


def test_a_deadline_that_was_never_met_is_down_to_the_last_rung_and_stays_there() -> None:
    given = replayed(deadline_s=0.05)
    assert given.levels == list(range(1, len(given.levels) + 1))
    assert len(given.levels) == len(ladder_for(0.05, 2, fallback=True, camera_fps=5)) - 1
