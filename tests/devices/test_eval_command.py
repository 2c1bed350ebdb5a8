"""`stopline eval`, from the command line to its files, with a real bundle."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.devices.labelled import Shot, write_set
from tests.runtime.tiny import tiny_bundle

CELL = (32.0, 16.0, 40.0, 24.0)


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A bundle, and a set of three images whose red squares it finds."""
    pytest.importorskip("onnxruntime")
    tiny_bundle(tmp_path / "red")
    shots = [Shot([("red", (x, 16.0, x + 8, 24.0)), ("cat", CELL)]) for x in (0.0, 32.0, 88.0)]
    write_set(tmp_path / "set", shots, classes=("red", "cat"))
    return tmp_path


def stopline_eval(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stopline", "eval", "red", "--data", "set/labels.json"]
    images = [] if "--images" in words else ["--images", "set/images"]
    return subprocess.run(
        [*command, *images, "--backend", "onnxruntime", *words],
        cwd=where,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """One line, or click's usage and one line, and nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_figures_table_and_sheet_are_all_there(where: Path) -> None:
    done = stopline_eval(where, "--json", "figures.json", "--worst", "worst.png", "--confusion")
    assert done.returncode == 0, done.stderr
    told = json.loads((where / "figures.json").read_text())
    assert told["variant"] == "fp32"
    assert told["backend"] == "onnxruntime"
    assert told["images"] == 3
    assert told["AP"] == pytest.approx(1)
    assert told["classes"]["red"]["boxes"] == 3
    assert told["ignored_classes"] == {"of_set": ["cat"], "of_detector": []}
    assert (where / "worst.png").read_bytes().startswith(b"\x89PNG")
    assert "unknown to the detector, so no part of the mean: cat" in done.stdout
    assert "weak, of fewer than 100 boxes: red" in done.stdout


def test_json_on_stdout_is_all_there_is_on_stdout(where: Path) -> None:
    done = stopline_eval(where, "--json", "-")
    assert json.loads(done.stdout)["AP"] == pytest.approx(1)
    assert "mean" in done.stderr


def test_a_map_counts_one_class_as_another(where: Path) -> None:
    done = stopline_eval(where, "--map", "red=cat", "--json", "-")
    told = json.loads(done.stdout)
    assert list(told["classes"]) == ["cat"]
    assert told["classes"]["cat"]["recall"] == pytest.approx(1 / 3)  # all cats are where one red is


def test_a_limit_takes_images_from_all_over_the_set(where: Path) -> None:
    told = json.loads(stopline_eval(where, "--limit", "2", "--json", "-").stdout)
    assert told["images"] == 2
    assert told["AP"] == pytest.approx(1)


@pytest.mark.parametrize(
    "words",
    [("--map", "red"), ("--map", "=x"), ("--map", "red=a", "--map", "red=b"), ("--limit", "0"),
     ("--worst", "worst.jpg"), ("--precision", "fp8"), ("--score", "2"), ("--lost",)],
)  # fmt: skip
def test_wrong_usage_is_2(where: Path, words: tuple[str, ...]) -> None:
    refused(stopline_eval(where, *words), 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "none.json"), "none.json"),
        (("--images", "set"), "--images"),
        (("--map", "blue=cat"), "blue"),
        (("--map", "red=dog"), "dog"),
        (("--precision", "int8"), "int8"),
        (("--backend", "abacus"), "abacus"),
        (("--json", "no/such/folder.json"), "no/such"),
        (("--worst", "set/images.png/x.png"), "images.png"),
        (("--json", "set"), "folder"),
    ],
)
def test_what_is_not_there_is_named_in_one_line(
    where: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in refused(stopline_eval(where, *words))


def test_an_unreadable_image_in_the_middle_leaves_no_figures(where: Path) -> None:
    (where / "set/images/1.png").write_bytes((where / "set/images/1.png").read_bytes()[:60])
    assert "1.png" in refused(stopline_eval(where, "--json", "figures.json"))
    assert not (where / "figures.json").exists()


def test_a_box_outside_its_image_is_named(where: Path) -> None:
    labels = where / "set/labels.json"
    labels.write_text(labels.read_text().replace("[88.0, 16.0, 8.0", "[88.0, 16.0, 80.0"))
    assert "2.png is 96x64, and has a box outside" in refused(stopline_eval(where))
