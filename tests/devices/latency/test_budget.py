"""A budget is broken by what exceeds it, and by what nobody knows."""

from pathlib import Path

import pytest

from stopline.devices.latency.budget import Budget, held, read_budget
from tests.devices.latency.reports import report

TOML = """
[engine]
p99_ms = 30
[pipeline]
least_fps = 30
[capture_to_result]
p50_ms = 40
miss_ratio = 0.5
[memory_mib]
peak = 250
"""


def budget(tmp_path: Path, text: str, name: str = "budget.toml") -> Budget:
    path = tmp_path / name
    path.write_text(text)
    return read_budget(path)


def test_what_lies_within_holds(tmp_path: Path) -> None:
    limits = held(budget(tmp_path, TOML), report())
    assert [one.name for one in limits] == [
        "engine.p99_ms",
        "pipeline.least_fps",
        "capture_to_result.p50_ms",
        "capture_to_result.miss_ratio",
        "memory_mib.peak",
    ]
    assert all(one.holds for one in limits)


@pytest.mark.parametrize(
    "text",
    [
        '{"engine": {"p50_ms": 20}}',
        '{"pipeline": {"least_fps": 38}}',
        '{"capture_to_result": {"miss_ratio": 0.1}}',
        '{"memory_mib": {"peak": 219.9}}',
    ],
)
def test_what_lies_beyond_is_broken(tmp_path: Path, text: str) -> None:
    (limit,) = held(budget(tmp_path, text, "budget.json"), report())
    assert not limit.holds
    assert limit.found is not None


@pytest.mark.parametrize(
    "text",
    [
        '{"engine": {"p999_ms": 1000}}',  # of 400 runs
        '{"energy": {"net_mj_per_frame": 1000}}',  # no sensor
        '{"cold_start_ms": {"total": 100000}}',  # not measured
    ],
)
def test_what_is_not_known_is_broken(tmp_path: Path, text: str) -> None:
    (limit,) = held(budget(tmp_path, text, "budget.json"), report())
    assert (limit.found, limit.holds) == (None, False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[engine]\np95_ms = 3", "p95_ms"),
        ("[engine]\np99_ms = 'fast'", "engine.p99_ms"),
        ("[engine]\np99_ms = -1", "engine.p99_ms"),
        ("[engine", "no budget"),
    ],
)
def test_a_budget_that_is_none_is_refused_by_its_place(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        budget(tmp_path, text)


def test_a_budget_of_nothing_holds_everything(tmp_path: Path) -> None:
    assert held(budget(tmp_path, ""), report()) == []
