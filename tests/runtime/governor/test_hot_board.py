"""A board that cannot stand the work it is given is slowed down by us, not by its firmware.

The board is simulated: its temperature follows the share of time that it detects, as one lump that
heats and cools, and at its limit it is slower. Only the files that it is read from are real.
"""

import math
from collections.abc import Callable
from pathlib import Path

from stopline.runtime.governor.governor import Governor, GovernorSettings
from stopline.runtime.governor.heat import Heat
from stopline.runtime.governor.ladder import ladder_for
from tests.runtime.governor.boards import write, zone
from tests.runtime.governor.queueing import Fixed, Governs, Queueing, Run, Simulated

AMBIENT_C, RISE_C, LIMIT_C = 25.0, 95.0, 99.0  # idle, at full work above that, passive trip point
TIME_CONSTANT_S = 30.0
DETECTS_S, SLOWED = 0.03, 2.0  # and how many times longer it takes at the limit, at less power
DEADLINE_S, RUN_S = 0.1, 900.0


class Board:
    """Detects, gets hot of it, and shows its temperature as Linux does."""

    def __init__(self, root: Path) -> None:
        self.root = write(root, zone(0, "cpu-thermal", 25_000, passive=99_000))
        self.throttled_s = 0.0
        self._at_c, self._at_s, self._shown_s = AMBIENT_C, 0.0, 0.0

    def detect(self, detector: int, at_s: float) -> float:
        """How long it takes; in between it was idle."""
        self._heat(0.0, at_s)
        hot = self._at_c >= LIMIT_C
        took_s = DETECTS_S * (SLOWED if hot else 1)
        self.throttled_s += took_s * hot
        self._heat(1 / SLOWED if hot else 1.0, at_s + took_s)
        if at_s - self._shown_s >= 0.5:
            self._shown_s = at_s
            write(self.root, {"class/thermal/thermal_zone0/temp": round(self._at_c * 1e3)})
        return took_s

    def _heat(self, work: float, until_s: float) -> None:
        goal_c = AMBIENT_C + RISE_C * work
        left = math.exp(-(until_s - self._at_s) / TIME_CONSTANT_S)
        self._at_c, self._at_s = goal_c + (self._at_c - goal_c) * left, until_s


def run_of(board: Board, make: Callable[[Queueing], Governs]) -> Run:
    queueing = Queueing([Simulated("front", 30, 0.0)], board.detect, DEADLINE_S)
    return queueing.run(make(queueing), RUN_S)


def ours(board: Board) -> Callable[[Queueing], Governs]:
    ladder = ladder_for(DEADLINE_S, 1, fallback=False)
    settings = GovernorSettings(DEADLINE_S)
    return lambda queueing: Governor(ladder, settings, Heat(board.root), queueing.clock)


def test_a_board_that_gets_too_hot_works_less_and_is_hardly_throttled(tmp_path: Path) -> None:
    board = Board(tmp_path)
    run = run_of(board, ours(board))
    assert run.steps[0].level == 1
    assert run.steps[0].why.startswith("the board throttles: cpu-thermal at ")
    assert run.steps[0].why.endswith(", its passive limit of 99 °C")
    assert board.throttled_s < 0.05 * RUN_S
    assert len(run.steps) <= 20
    assert run.late == 0  # it is for the heat alone


def test_a_board_whose_governor_does_nothing_is_throttled_most_of_the_time(tmp_path: Path) -> None:
    board = Board(tmp_path)
    rung = ladder_for(DEADLINE_S, 1, fallback=False)[0]
    run_of(board, lambda queueing: Fixed(rung))
    assert board.throttled_s > 0.3 * RUN_S


def test_a_board_without_a_sensor_is_not_taken_for_hot(tmp_path: Path) -> None:
    board = Board(tmp_path / "real")
    ladder = ladder_for(DEADLINE_S, 1, fallback=False)
    settings = GovernorSettings(DEADLINE_S)
    blind = Heat(tmp_path / "none")
    run = run_of(board, lambda queueing: Governor(ladder, settings, blind, queueing.clock))
    assert run.steps == []
