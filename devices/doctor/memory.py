"""Memory, to run and to build: TensorRT's builder wants more than the engine it makes."""

import re

from stopline.devices.doctor.finding import Finding, ok, unknown
from stopline.devices.doctor.host import Host

GROUP = "memory"
# Rules of thumb, not measured: what a detector with its libraries takes, and what a builder may.
LEAST_TO_RUN_MIB = 1024
LEAST_TO_BUILD_MIB = 4096
MOST = "ps -eo rss,comm --sort -rss | head"
ADD_SWAP = (
    "sudo fallocate -l 8G /swapfile && sudo chmod 600 /swapfile && "
    "sudo mkswap /swapfile && sudo swapon /swapfile"
)


def memory_findings(host: Host, gpu: bool) -> list[Finding]:
    """Of the machine's; a desktop GPU's own is told with its driver."""
    kib = dict(re.findall(r"^(\w+):\s+(\d+) kB", host.text("proc/meminfo") or "", re.MULTILINE))
    if "MemAvailable" not in kib:
        return [unknown(GROUP, "memory", "/proc/meminfo does not tell")]
    mib = {name: int(size) >> 10 for name, size in kib.items()}
    available, swap = mib["MemAvailable"], mib.get("SwapFree", 0)
    told = f"{available} of {mib['MemTotal']} MiB available, {swap} MiB of swap free"
    if available < LEAST_TO_RUN_MIB:
        wanted = f"{LEAST_TO_RUN_MIB} MiB to run"
        return [Finding(GROUP, "memory", "problem", told, wanted, f"end other programs: {MOST}")]
    if gpu and available + swap < LEAST_TO_BUILD_MIB:
        wanted = f"{LEAST_TO_BUILD_MIB} MiB with swap, to build engines"
        return [Finding(GROUP, "memory", "warning", told, wanted, ADD_SWAP)]
    return [ok(GROUP, "memory", told)]
