"""The errors that docs/boards.md tells are those that the benchmark prints, and the fit is its."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stopline.devices.planning.efficiency import FITTED, WORST_LEFT_OUT

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def printed() -> list[str]:
    command = [sys.executable, "benchmarks/plan_error.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def rows(printed: list[str], heading: str) -> list[list[str]]:
    start = printed.index(heading) + 2
    table = []
    for line in printed[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_the_shapes_have_the_size_that_is_published_of_them(printed: list[str]) -> None:
    table = rows(printed, "| model | parameters, M | published | GFLOP | published |")
    assert len(table) == 4
    for model, parameters, told, gflop, published in table:
        assert float(parameters) == pytest.approx(float(told), rel=0.01), model
        assert float(gflop) == pytest.approx(float(published), rel=0.01), model


def test_every_table_stands_in_the_docs_as_it_was_printed(printed: list[str]) -> None:
    docs = (ROOT / "docs" / "boards.md").read_text()
    missing = [line for line in printed if line.startswith("|") and line not in docs]
    assert missing == []
    (summary,) = (line for line in printed if line.startswith("left out:"))
    assert all(part in docs for part in summary.split("; "))


def test_what_plan_uses_is_what_was_fitted(printed: list[str]) -> None:
    (line,) = (one for one in printed if one.startswith("FITTED = "))
    found = {name: float(value) for name, value in re.findall(r"'?(\w+)'?[:=] ?([\d.]+)", line)}
    for precision, share in FITTED.compute.items():
        assert share == pytest.approx(found[precision], abs=0.006)
    assert FITTED.bandwidth == pytest.approx(found["bandwidth"], abs=0.006)
    assert FITTED.floor_us_ghz == pytest.approx(found["floor_us_ghz"])
    (worst,) = (one for one in printed if one.startswith("WORST_LEFT_OUT = "))
    assert pytest.approx(float(worst.split(" = ")[1]), abs=0.006) == WORST_LEFT_OUT


def test_the_issues_figures_are_the_ones_that_are_judged(printed: list[str]) -> None:
    heading = (
        "| board | model | precision | published ms | error, board left out | error, all fitted |"
    )
    table = rows(printed, heading)
    assert len(table) == 18
    assert {row[0] for row in table} == {"orin-nano-super", "orin-nx-16", "agx-orin-64"}
    told = {(row[0], row[1], row[2]): row[3] for row in table}
    assert told["orin-nano-super", "YOLO11n", "FP16"] == "4.91"
    assert told["agx-orin-64", "YOLO11m", "INT8"] == "5.12"
