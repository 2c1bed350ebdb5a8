"""`stopline plan`: it says that it is an estimate, in the table and in the JSON."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.devices.engines.building import without_training

# The graph is read where it is exported.
exported = pytest.mark.skipif(find_spec("onnx_ir") is None, reason="no stopline[export] here")
PLAN = (sys.executable, "-m", "stopline", "plan")


def plan(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*PLAN, *words], capture_output=True, text=True, check=False)


@exported
def test_an_orin_gets_a_range_and_is_told_what_it_is_worth(tmp_path: Path) -> None:
    done = plan("--device", "orin-nano-super", "--layers", "2", "--json", str(tmp_path / "p.json"))
    assert done.returncode == 0, done.stderr
    assert "an estimate, nothing was run" in done.stdout
    assert "off by up to 22%" in done.stdout
    report = json.loads((tmp_path / "p.json").read_text())
    assert report["estimate"] is True
    for variant in report["variants"].values():
        low, high = variant["range_ms"]
        assert variant["at_peaks_ms"] < low < variant["ms"] < high
        assert variant["fits"] is True
        assert sum(one["us"] for one in variant["layers"]) / 1e3 == pytest.approx(variant["ms"])


@exported
def test_a_board_that_nothing_was_fitted_on_gets_no_estimate() -> None:
    done = plan("--device", "raspberry-pi-5", "--json", "-")
    report = json.loads(done.stdout)
    assert report["variants"]["fp32"]["ms"] is None
    assert report["variants"]["fp32"]["range_ms"] is None
    assert "No estimate" in done.stderr


def test_a_device_that_is_not_described_is_wrong_usage() -> None:
    done = plan("--device", "toaster")
    assert done.returncode == 2
    assert "wanted one of agx-orin-32" in done.stderr


def test_a_board_without_onnx_is_told_where_to_plan() -> None:
    done = without_training("plan", "--device", "thor")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'stopline[export]'" in done.stderr
