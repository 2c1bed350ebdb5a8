"""The GPU and its driver, and the libraries that reach them."""

from stopline.devices.doctor.finding import Finding, note, ok
from stopline.devices.doctor.host import Host
from stopline.devices.doctor.identity import INSTALL_JETPACK, Identity
from stopline.devices.doctor.probed import Probes

GROUP = "gpu"
NVIDIA, DISPLAY = "0x10de", "0x03"
ASK_DRIVER = (
    *("nvidia-smi", "--query-gpu=name,driver_version,memory.total,memory.free"),
    *("--format=csv,noheader,nounits", "--id=0"),
)
INSTALL_DRIVER = "sudo ubuntu-drivers install && sudo reboot"


def driver_gpu(host: Host) -> str | None:
    """The name that NVIDIA's driver gives its first GPU."""
    told = host.answer(*ASK_DRIVER)
    return told.split(",")[0].strip() if told else None


def has_nvidia_gpu(host: Host, this: Identity) -> bool:
    """Whether the hardware is there, driver or not."""
    return this.jetson or bool(_on_the_bus(host))


def gpu_findings(host: Host, this: Identity, tried: Probes) -> list[Finding]:
    """Nothing to find on a machine without one."""
    if not has_nvidia_gpu(host, this):
        return [note(GROUP, "GPU", "none of NVIDIA's: detection runs on the CPU")]
    if this.too_old:
        return [note(GROUP, "GPU", "not used: see JetPack's age")]
    findings = [] if this.jetson else [_driver(host)]
    if findings and findings[0].severity == "problem":
        return findings  # what comes of it is no finding of its own
    return [*findings, _cuda(host, this, tried)]


def _driver(host: Host) -> Finding:
    said = host.run(ASK_DRIVER)
    parts = [part.strip() for part in said.out.split(",")] if said else []
    if said is not None and said.code == 0 and len(parts) == 4:
        name, version, total, free = parts
        return ok(GROUP, "driver", f"{version} for {name}, {free} of {total} MiB free")
    if said is None:
        found, command = "an NVIDIA GPU on the bus, and no driver", INSTALL_DRIVER
    else:
        mismatch = "version mismatch" in said.out + said.error
        words = (said.out or said.error).strip().splitlines()
        found = f"nvidia-smi fails: {words[0] if words else said.why}"
        command = "sudo reboot" if mismatch else INSTALL_DRIVER
    return Finding(GROUP, "driver", "problem", found, "a driver that answers", command)


def _cuda(host: Host, this: Identity, tried: Probes) -> Finding:
    gpu = tried.gpu
    if gpu.works:
        facts = gpu.facts
        told = (
            f"{facts['name']}, sm {facts['sm']}, {facts['free_mib']} of {facts['memory_mib']} MiB"
        )
        return ok(GROUP, "CUDA", f"{told} free")
    brought = this.release.cuda if this.release else None
    wanted = f"CUDA {brought}" if brought else "CUDA"
    if "cuda-python" in (gpu.failure or ""):
        exact = f"=={brought}.*" if brought else ""
        command = f"pip install 'cuda-python{exact}'"
    elif this.jetson and "video" not in (host.answer("id", "-nG") or "video").split():
        command = "sudo usermod -aG video,render $USER, then log in again"
    elif this.jetson:
        command = INSTALL_JETPACK
    else:
        command = "pip install 'stopline[gpu]'"
    return Finding(GROUP, "CUDA", "warning", gpu.failure or "", f"{wanted} from Python", command)


def _on_the_bus(host: Host) -> list[str]:
    folder = "sys/bus/pci/devices"
    return [
        name
        for name in host.names(folder)
        if host.text(f"{folder}/{name}/vendor") == NVIDIA
        and (host.text(f"{folder}/{name}/class") or "").startswith(DISPLAY)
    ]
