"""Which board this is: device tree, Jetson Linux, JetPack, and the profile that describes it."""

import re
from dataclasses import dataclass

from stopline.devices.doctor.finding import Finding, ok, unknown
from stopline.devices.doctor.host import Host
from stopline.devices.preflight import OLDEST_TENSORRT
from stopline.devices.profiles.jetpack import Release, matrix, release_of
from stopline.devices.profiles.profile import Profile, profiles

GROUP = "board"
JETPACK = "nvidia-jetpack"
# Any of them is what JetPack brings for engines: not all of it needs to be installed.
TENSORRT_PACKAGES = ("python3-libnvinfer", "libnvinfer10", "libnvinfer8")
INSTALL_JETPACK = "sudo apt update && sudo apt install nvidia-jetpack"
DOWNLOADS = "https://developer.nvidia.com/embedded/jetpack"


@dataclass(frozen=True)
class Identity:
    """What the files say. `device` is the profile's name."""

    machine: str | None
    model: str | None
    system: str | None  # "Ubuntu 22.04.5 LTS"
    l4t: str | None
    release: Release | None
    device: str | None
    profile: Profile | None
    packages: dict[str, str]  # of NVIDIA's, by name
    tegra: bool  # by the device tree, which a container sees too

    @property
    def jetson(self) -> bool:
        """Whether it is a Jetson, or a container on one."""
        return self.tegra or self.l4t is not None

    @property
    def too_old(self) -> bool:
        """Whether its TensorRT can build no engine of ours."""
        version = self.release.tensorrt if self.release else None
        return version is not None and _numbers(version) < OLDEST_TENSORRT

    @property
    def tensorrt_installed(self) -> bool:
        """By JetPack, which says nothing of whether Python sees it."""
        return any(name in self.packages for name in TENSORRT_PACKAGES)


def identity(host: Host, gpu: str | None = None) -> Identity:
    """`gpu` is the name that the driver gives, which tells desktops apart."""
    l4t = _l4t(host)
    device = _device(host, gpu)
    return Identity(
        machine=host.answer("uname", "-m"),
        model=host.text("proc/device-tree/model"),
        system=_system(host),
        l4t=l4t,
        release=release_of(l4t) if l4t else None,
        device=device,
        profile=profiles()[device] if device else None,
        packages=_packages(host),
        tegra=any(one.startswith("nvidia,tegra") for one in _compatible(host)),
    )


def board_findings(this: Identity) -> list[Finding]:
    """Who it is, and whether its software is of one piece."""
    findings = [_model(this)]
    if not this.jetson:
        return findings
    if this.l4t is None:
        return [*findings, _jetson_linux(this)]
    return [*findings, _jetson_linux(this), *_old(this), *_jetpack_package(this)]


def _model(this: Identity) -> Finding:
    name = this.model or (this.profile.name if this.profile else None)
    told = [name or "no device tree", this.machine, this.system]
    known = f"profile {this.device}" if this.device else "no profile describes it"
    return ok(GROUP, "model", ", ".join([*(one for one in told if one), known]))


def _jetson_linux(this: Identity) -> Finding:
    if this.l4t is None:
        found = "no /etc/nv_tegra_release, as in a container"
        return unknown(GROUP, "Jetson Linux", found, "run doctor on the board itself")
    if this.release is None:
        return unknown(GROUP, "Jetson Linux", f"{this.l4t}, which no JetPack that we know has")
    told = this.release
    brings = [f"CUDA {told.cuda}" if told.cuda else None]
    brings += [f"TensorRT {told.tensorrt}" if told.tensorrt else None, f"Python {told.python}"]
    line = ", ".join(one for one in brings if one)
    return ok(GROUP, "Jetson Linux", f"{this.l4t}, JetPack {told.jetpack}: {line}")


def _old(this: Identity) -> list[Finding]:
    """A TensorRT before 10.3 is a problem that no package mends."""
    if not this.too_old:
        return []
    assert this.release is not None
    version = this.release.tensorrt
    wanted = ".".join(map(str, OLDEST_TENSORRT))
    newest = _newest_for(this.profile)
    if newest is None:
        command = "run on the CPU: stopline run --backend onnxruntime"
    else:
        command = f"flash JetPack {newest}: {DOWNLOADS}"
    found = f"TensorRT {version} of JetPack {this.release.jetpack}: no engine can be built"
    wanted = f"TensorRT {wanted} or newer"
    return [Finding(GROUP, "JetPack's age", "problem", found, wanted, command)]


def _newest_for(board: Profile | None) -> str | None:
    """The newest JetPack that a board takes and that brings a TensorRT we can use."""
    if board is None or board.jetpacks is None:
        return None
    fitting = [
        release.jetpack
        for release in matrix().releases
        if release.tensorrt is not None
        and _numbers(release.tensorrt) >= OLDEST_TENSORRT
        and any(_is_of(release.jetpack, line) for line in board.jetpacks.value)
    ]
    return fitting[-1] if fitting else None


def _jetpack_package(this: Identity) -> list[Finding]:
    if JETPACK in this.packages:
        return [ok(GROUP, JETPACK, this.packages[JETPACK])]
    if this.tensorrt_installed:
        return [ok(GROUP, JETPACK, "not installed as a whole; TensorRT is")]
    found = "neither it nor TensorRT is installed"
    wanted = "CUDA, cuDNN and TensorRT of this JetPack"
    return [Finding(GROUP, JETPACK, "problem", found, wanted, INSTALL_JETPACK)]


def _l4t(host: Host) -> str | None:
    """`# R36 (release), REVISION: 4.3, GCID: …`"""
    told = host.text("etc/nv_tegra_release") or ""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", told)
    return f"{found[1]}.{found[2]}" if found else None


def _system(host: Host) -> str | None:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', host.text("etc/os-release") or "", re.MULTILINE)
    return found[1] if found else None


def _packages(host: Host) -> dict[str, str]:
    """NVIDIA's that dpkg has installed, from the paragraphs of its status file."""
    found = {}
    for paragraph in (host.text("var/lib/dpkg/status") or "").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Status|Version): (.+)$", paragraph, re.MULTILINE))
        name = fields.get("Package", "")
        ours = name.startswith(("nvidia-", "libnvinfer", "python3-libnvinfer"))
        if ours and fields.get("Status", "").endswith(" installed"):
            found[name] = fields.get("Version", "")
    return found


def _device(host: Host, gpu: str | None) -> str | None:
    """The profile of which most is true."""
    compatible = _compatible(host)
    modes = set(power_modes(host).values())
    best, most = None, 0
    for name, board in profiles().items():
        known = board.known_by
        parts = [part in one for part in known.compatible for one in compatible]
        asked = [any(parts)] if known.compatible else []
        asked += [gpu in known.gpu] if known.gpu else []
        asked += [known.power_mode in modes] if known.power_mode else []
        if all(asked) and len(asked) > most:
            best, most = name, len(asked)
    return best


def _compatible(host: Host) -> list[str]:
    return (host.text("proc/device-tree/compatible") or "").split("\0")


def power_modes(host: Host) -> dict[int, str]:
    """What nvpmodel offers on this board: `< POWER_MODEL ID=2 NAME=MAXN_SUPER >`."""
    told = host.text("etc/nvpmodel.conf") or ""
    found = re.findall(r"^<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", told, re.MULTILINE)
    return {int(number): name for number, name in found}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _is_of(jetpack: str, line: str) -> bool:
    return jetpack == line or jetpack.startswith(f"{line}.")
