"""What the README tells people to type works as it is written."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)


def section(title: str) -> str:
    """The text under one heading."""
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def commands(text: str) -> list[str]:
    """The lines of its shell blocks, continued ones joined."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    joined = "".join(blocks).replace("\\\n", " ")
    return [line.split("  #")[0].strip() for line in joined.splitlines() if line.strip()]


def run(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    """In a shell whose `stopline` is the one under test."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=where,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_the_readme_shows_how_to_do_what_it_promises() -> None:
    assert len(BLOCKS) >= 3
    assert any(kind == "python" for kind, _ in BLOCKS)
    assert any("make demo" in text for _, text in BLOCKS)


@pytest.mark.journey
@pytest.mark.timeout(1200)
def test_train_export_and_run_by_the_commands_of_the_readme(tmp_path: Path) -> None:
    typed = commands(section("Train your own"))
    assert [shlex.split(command)[1] for command in typed] == ["train", "export", "run"]
    for command in typed:
        done = run(command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    with (tmp_path / "runs/sim-scratch/metrics.csv").open() as table:
        measured = [float(row["AP50"]) for row in csv.DictReader(table) if row["AP50"]]
    assert max(measured) >= 0.5  # on streets it was not trained on
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert sum(len(line["detections"]) > 0 for line in seen) > 50


@pytest.mark.journey
def test_what_runs_in_a_vehicle_runs_here_on_simulated_cameras(tmp_path: Path) -> None:
    [typed] = commands(section("In a vehicle"))
    for source, seed in (("rtsp://front/main", 55), ("/dev/video0", 7)):
        assert source in typed
        simulated = f"sim://road?seed={seed}&fps=5&width=320&height=192"
        typed = typed.replace(source, shlex.quote(simulated))
    typed = typed.replace("docs/", f"{ROOT}/docs/").replace("--view 8080", "--view 0")
    # Other journeys run beside this one: what is slow here is not what is tested.
    typed = typed.replace("--deadline-ms 150", "--deadline-ms 2000")
    done = run(f"{typed} --seconds 10", tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (tmp_path / "road.jsonl").read_text().splitlines()]
    assert len({line["camera"] for line in lines if line.get("state") == "LIVE"}) == 2
    assert "what the cameras see: http://127.0.0.1:" in done.stderr


@pytest.mark.journey
def test_the_python_of_the_readme_detects(tmp_path: Path) -> None:
    for text in [text for kind, text in BLOCKS if kind == "python"]:
        (tmp_path / "example.py").write_text(text)
        done = run(f"{shlex.quote(sys.executable)} example.py", tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        assert "LIVE" in done.stdout
