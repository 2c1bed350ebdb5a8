"""Cameras: what each gives, whether we may open it, and whether Jetson's camera daemon is stuck."""

import re

from stopline.devices.doctor.finding import Finding, note, ok, unknown
from stopline.devices.doctor.host import Host

GROUP = "cameras"
V4L = "sys/class/video4linux"
ARGUS = "nvargus-daemon"
ARGUS_UNITS = tuple(
    f"{folder}/{ARGUS}.service" for folder in ("etc/systemd/system", "lib/systemd/system")
)
ARGUS_LOG = ("journalctl", "--unit", ARGUS, "--boot", "--lines", "40", "--output", "cat", "--quiet")
# What it logs when a session hangs: from then on every client waits. What came before its last
# start is past.
STUCK = re.compile(r"Error Timeout")
STARTED = re.compile(r"^Started ")
RAW = re.compile(r"^(RG|BG|GR|GB|BA)\d\d$|^(RGGB|BGGR|GRBG|GBRG|BYR2)$")  # Bayer, for the ISP alone


def camera_findings(host: Host) -> list[Finding]:
    """Nothing to mend where there is none: RTSP and files need none."""
    names = [name for name in host.names(V4L) if name.startswith("video")]
    cameras = [_camera(host, name) for name in names]
    findings = [one for one in cameras if one is not None]
    if not names:
        findings = [note(GROUP, "cameras", "none at /dev/video*; rtsp:// and files need none")]
    return [*findings, *_argus(host)]


def _camera(host: Host, name: str) -> Finding | None:
    """None for a node that gives no pictures, as every USB camera has a second one."""
    device = f"/dev/{name}"
    what = host.text(f"{V4L}/{name}/name") or "unnamed"
    if (refused := _refused(host, device, what)) is not None:
        return refused
    said = host.run(("v4l2-ctl", "--device", device, "--list-formats-ext"))
    if said is None:
        found = f"{what}; its formats are unknown without v4l2-ctl"
        return unknown(GROUP, device, found, "sudo apt install v4l-utils")
    if said.code != 0:
        wanted, command = "a camera that answers", f"unplug it, or: fuser -v {device}"
        return Finding(GROUP, device, "problem", f"{what}: {said.why}", wanted, command)
    formats = re.findall(r"^\s*\[\d+\]: '(\w+)\s*'", said.out, re.MULTILINE)
    if not formats:
        return None
    if all(RAW.match(one) for one in formats):
        return ok(GROUP, device, f"{what}: raw sensor ({', '.join(formats)}), use csi://N")
    return ok(GROUP, device, f"{what}: {', '.join(formats)}, up to {_largest(said.out)}")


def _refused(host: Host, device: str, what: str) -> Finding | None:
    """Asked of the shell, which knows of access lists too."""
    said = host.run(("test", "-r", device, "-a", "-w", device))
    if said is None or said.code == 0:
        return None
    groups = (host.answer("id", "-nG") or "").split()
    group = host.answer("stat", "--format", "%G", device) or "video"
    if group in groups:
        found, command = (
            f"{what}: not ours to open, though we are in group {group}",
            f"ls -l {device}",
        )
    else:
        found = f"{what}: not ours to open, we are not in group {group}"
        command = f"sudo usermod -aG {group} $USER, then log in again"
    return Finding(GROUP, device, "problem", found, "permission to read and write it", command)


def _largest(told: str) -> str:
    sizes = [(int(w), int(h)) for w, h in re.findall(r"Size: \w+ (\d+)x(\d+)", told)]
    sizes += [(int(w), int(h)) for w, h in re.findall(r" - (\d+)x(\d+)", told)]  # stepwise
    width, height = max(sizes, default=(0, 0))
    return f"{width}x{height}" if width else "an unknown size"


def _argus(host: Host) -> list[Finding]:
    if not any((host.root / unit).exists() for unit in ARGUS_UNITS):
        return []
    wanted, command = "a daemon that answers, for csi://", f"sudo systemctl restart {ARGUS}"
    state = host.run(("systemctl", "is-active", ARGUS))
    if state is None:
        return [unknown(GROUP, ARGUS, "systemctl is not here to ask")]
    if state.out.strip() != "active":
        found = f"it is {state.out.strip() or 'not running'}"
        return [Finding(GROUP, ARGUS, "problem", found, wanted, command)]
    log = host.answer(*ARGUS_LOG)
    if log is None:
        return [note(GROUP, ARGUS, "active; its log is not ours to read")]
    if (stuck := _stuck(log.splitlines())) is not None:
        return [Finding(GROUP, ARGUS, "problem", f"stuck: {stuck}", wanted, command)]
    return [ok(GROUP, ARGUS, "active, and no timeout since it was started")]


def _stuck(log: list[str]) -> str | None:
    """Its last timeout since it was started."""
    starts = [number for number, line in enumerate(log) if STARTED.search(line)]
    since = log[starts[-1] :] if starts else log
    return next((line.strip() for line in reversed(since) if STUCK.search(line)), None)
