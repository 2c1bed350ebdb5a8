"""A healthy machine on which one thing is changed, and what is told of it."""

from pathlib import Path

import pytest

from stopline.devices.doctor.examination import examine
from stopline.devices.doctor.host import Host
from tests.devices.doctor.recorded import Answer, Recorded, amiss, bundle_for, recorded
from tests.runtime.tiny import tiny_bundle

SMI = (
    "nvidia-smi --query-gpu=name,driver_version,memory.total,memory.free "
    "--format=csv,noheader,nounits --id=0"
)
PROBE = "python -m stopline.devices.doctor.probe"


def changed(machine: str, tmp_path: Path, **answers: Answer | None) -> Host:
    """A healthy machine on which some commands answer otherwise."""
    host = recorded(machine, tmp_path / "root", planted=False)
    assert isinstance(host.run, Recorded)
    host.run.answers |= answers
    return host


def test_a_gpu_without_an_engine_is_told_to_build_one(tmp_path: Path) -> None:
    host = recorded("jetpack-6.2", tmp_path / "root", planted=False)
    bundle = tiny_bundle(tmp_path / "bundle")
    found = examine(host, bundle)
    assert amiss(found) == {"tiny-red": ("warning", f"stopline build {bundle.path}")}
    assert found.able


def test_an_orin_nano_without_the_super_modes_is_another_profile(tmp_path: Path) -> None:
    host = recorded("jetpack-6.2", tmp_path / "root", planted=False)
    conf = host.root / "etc/nvpmodel.conf"
    conf.write_text("< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W >\n")
    (host.root / "var/lib/nvpmodel/status").write_text("pmode:0000 fmode:quiet")
    found = examine(host, bundle_for("jetpack-6.2", tmp_path / "bundle"))
    assert found.board.device == "orin-nano"
    assert amiss(found) == {}


def test_a_container_on_a_jetson_is_still_a_jetson(tmp_path: Path) -> None:
    host = recorded("jetpack-6.2", tmp_path / "root", planted=False)
    (host.root / "etc/nv_tegra_release").unlink()
    found = examine(host, bundle_for("jetpack-6.2", tmp_path / "bundle"))
    assert amiss(found) == {"Jetson Linux": ("unknown", "run doctor on the board itself")}


def test_a_user_who_may_not_open_the_gpu_is_told_of_the_group(tmp_path: Path) -> None:
    host = recorded("jetpack-6.2", tmp_path / "root", planted=False)
    assert isinstance(host.run, Recorded)
    host.run.answers[f"{PROBE} gpu"] = Answer(0, ['{"failure":"CUDA finds no GPU"}'])
    host.run.answers["id -nG"] = Answer(0, ["user sudo"])
    found = examine(host, bundle_for("jetpack-6.2", tmp_path / "bundle"))
    assert amiss(found)["CUDA"] == (
        "warning",
        "sudo usermod -aG video,render $USER, then log in again",
    )


@pytest.mark.parametrize(
    ("answers", "name", "told"),
    [
        ({SMI: None}, "driver", ("problem", "sudo ubuntu-drivers install && sudo reboot")),
        (
            {SMI: Answer(0, ["No devices were found"])},
            "driver",
            ("problem", "sudo ubuntu-drivers install && sudo reboot"),
        ),
        (
            {f"{PROBE} gpu": Answer(0, ['{"here":false,"failure":"no cuda-python"}'])},
            "CUDA",
            ("warning", "pip install 'cuda-python'"),
        ),
        (
            {f"{PROBE} tensorrt": Answer(0, ['{"here":false,"failure":"no TensorRT"}'])},
            "TensorRT",
            ("warning", "pip install 'stopline[gpu]'"),
        ),
        (
            {f"{PROBE} cuda": Answer(0, ['{"failure":"adds 1 and 1 to 3"}'])},
            "cuda",
            ("warning", "pip install --force-reinstall 'onnxruntime-gpu[cuda,cudnn]'"),
        ),
    ],
)
def test_what_fails_on_a_desktop_is_told_once(
    answers: dict[str, Answer | None],
    name: str,
    told: tuple[str, str | None],
    tmp_path: Path,
) -> None:
    host = changed("desktop", tmp_path, **answers)
    assert amiss(examine(host, bundle_for("desktop", tmp_path / "bundle"))) == {name: told}


def test_an_environment_that_does_not_see_jetpacks_tensorrt_is_told_how_to_make_one(
    tmp_path: Path,
) -> None:
    blind = {f"{PROBE} tensorrt": Answer(0, ['{"here":false,"failure":"no TensorRT"}'])}
    host = changed("jetpack-6.2", tmp_path, **blind)
    told = amiss(examine(host, bundle_for("jetpack-6.2", tmp_path / "bundle")))
    command = "python3.10 -m venv --system-site-packages ~/stopline"
    assert told == {"TensorRT": ("warning", command)}


def test_an_old_jetpack_on_a_board_that_takes_a_newer_one_is_told_to_flash(tmp_path: Path) -> None:
    host = recorded("jetpack-5", tmp_path / "root", planted=False)
    compatible = b"nvidia,p3768-0000+p3767-0000\0nvidia,p3767-0000\0nvidia,tegra234\0"
    (host.root / "proc/device-tree/compatible").write_bytes(compatible)
    found = examine(host, tiny_bundle(tmp_path / "bundle"))
    assert found.board.device == "orin-nx-16"
    severity, command = amiss(found)["JetPack's age"]
    assert severity == "problem"
    assert command is not None and command.startswith("flash JetPack 6.2.3: https://")


def test_a_board_without_nvidia_is_known_by_its_device_tree(tmp_path: Path) -> None:
    tree = tmp_path / "root" / "proc" / "device-tree"
    tree.mkdir(parents=True)
    (tree / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tree / "compatible").write_bytes(b"raspberrypi,5-model-b\0brcm,bcm2712\0")
    found = examine(Host(tmp_path / "root", Recorded({})), tiny_bundle(tmp_path / "bundle"))
    assert found.board.device == "raspberry-pi-5"
    assert not found.board.jetson
    (gpu,) = (one for one in found.findings if one.group == "gpu")
    assert gpu.severity == "note"


def test_an_empty_machine_is_unknown_and_not_well(tmp_path: Path) -> None:
    """No file, no command: nothing is claimed, and nothing is said to run."""
    found = examine(Host(tmp_path, Recorded({})), tiny_bundle(tmp_path / "bundle"))
    told = amiss(found)
    assert not found.able
    assert told["memory"][0] == told["disk"][0] == told["clock"][0] == "unknown"
    assert told["OpenCV"][0] == told["backends"][0] == told["tiny-red"][0] == "problem"
