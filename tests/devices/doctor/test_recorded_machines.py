"""On each recorded machine exactly what was planted is found, and told with what mends it."""

from pathlib import Path

import pytest

from stopline.devices.doctor.examination import Examination, examine
from stopline.devices.doctor.host import Host
from tests.devices.doctor.recorded import Recorded, amiss, bundle_for, recorded

MACHINES = ("jetpack-5", "jetpack-6.2", "jetpack-7", "desktop")
# No package mends the age of JetPack 5: it is found on that board, healthy or not.
AGE = {"JetPack's age": ("problem", "run on the CPU: stopline run --backend onnxruntime")}
PLANTED = {
    "jetpack-5": AGE
    | {
        "backends": ("problem", "pip install 'stopline[cpu]'"),
        "/dev/video0": ("problem", "sudo usermod -aG video $USER, then log in again"),
        "memory": ("problem", "end other programs: ps -eo rss,comm --sort -rss | head"),
        "power mode": ("warning", "sudo nvpmodel -m 8"),
        "tiny-red": ("problem", "pip install 'stopline[cpu]'"),
    },
    "jetpack-6.2": {
        "OpenCV's video": (
            "warning",
            "pip uninstall -y opencv-python && sudo apt install python3-opencv",
        ),
        "nvargus-daemon": ("problem", "sudo systemctl restart nvargus-daemon"),
        "memory": (
            "warning",
            "sudo fallocate -l 8G /swapfile && sudo chmod 600 /swapfile && "
            "sudo mkswap /swapfile && sudo swapon /swapfile",
        ),
        "power mode": ("warning", "sudo nvpmodel -m 2"),
        "disk": ("warning", "sudo du -xh --max-depth 2 / | sort -h | tail; sudo apt clean"),
    },
    "jetpack-7": {
        "nvidia-jetpack": ("problem", "sudo apt update && sudo apt install nvidia-jetpack"),
        "onnxruntime": ("warning", "pip install --force-reinstall onnxruntime"),
        "/dev/video0": ("unknown", "sudo apt install v4l-utils"),
        "temperature": (
            "warning",
            "clean or fix the fan; `stopline run --degrade` keeps the age while it is hot",
        ),
        "clock": ("warning", "sudo timedatectl set-ntp true"),
    },
    "desktop": {
        "driver": ("problem", "sudo reboot"),
        "OpenCV": (
            "problem",
            "pip uninstall -y opencv-python && pip install opencv-python-headless",
        ),
        "/dev/video0": ("problem", "unplug it, or: fuser -v /dev/video0"),
        "CPU governor": (
            "warning",
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        ),
        "tiny-red": ("problem", "see OpenCV above"),
    },
}


def test_what_does_not_run_is_never_called_ok(tmp_path: Path) -> None:
    for machine in MACHINES:
        found, _ = examined(machine, tmp_path / machine, planted=True)
        said = [one.found for one in found.findings if one.severity == "ok"]
        assert not any("not run" in one or "cannot" in one for one in said)


def examined(machine: str, tmp_path: Path, *, planted: bool) -> tuple[Examination, Host]:
    host = recorded(machine, tmp_path / "root", planted=planted)
    return examine(host, bundle_for(machine, tmp_path / "bundle")), host


@pytest.mark.parametrize("machine", MACHINES)
def test_what_was_planted_is_found_with_what_mends_it_and_nothing_else(
    machine: str, tmp_path: Path
) -> None:
    found, _ = examined(machine, tmp_path, planted=True)
    assert amiss(found) == PLANTED[machine]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_healthy_machine_has_nothing_to_mend(machine: str, tmp_path: Path) -> None:
    found, _ = examined(machine, tmp_path, planted=False)
    assert amiss(found) == (AGE if machine == "jetpack-5" else {})
    assert found.able


@pytest.mark.parametrize(
    ("machine", "able"),
    [("jetpack-5", False), ("jetpack-6.2", True), ("jetpack-7", True), ("desktop", False)],
)
def test_the_bundle_is_able_where_something_was_seen_to_run(
    machine: str, able: bool, tmp_path: Path
) -> None:
    found, _ = examined(machine, tmp_path, planted=True)
    assert found.able is able
    assert bool(found.runs) or not able


@pytest.mark.parametrize("machine", MACHINES)
def test_only_questions_are_asked(machine: str, tmp_path: Path) -> None:
    """Whatever is proposed, nothing of it is done."""
    found, host = examined(machine, tmp_path, planted=True)
    assert isinstance(host.run, Recorded)
    proposed = {one.command for one in found.findings}
    for line in host.run.asked:
        assert line not in proposed
        assert not line.startswith(("sudo", "pip", "systemctl restart", "nvpmodel -m"))


@pytest.mark.parametrize(
    ("machine", "device", "l4t", "jetpack"),
    [
        ("jetpack-5", "xavier-nx", "35.4.1", "5.1.2"),
        ("jetpack-6.2", "orin-nano-super", "36.4.3", "6.2"),
        ("jetpack-7", "thor", "38.4.0", "7.1"),
        ("desktop", "rtx-4060", None, None),
    ],
)
def test_the_board_is_known(
    machine: str, device: str, l4t: str | None, jetpack: str | None, tmp_path: Path
) -> None:
    found, _ = examined(machine, tmp_path, planted=False)
    board = found.board
    assert (board.device, board.l4t) == (device, l4t)
    assert (board.release.jetpack if board.release else None) == jetpack
