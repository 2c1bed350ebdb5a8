"""What makes a board fail weeks later: a full disk, a clock that is wrong."""

from stopline.devices.doctor.finding import Finding, ok, unknown
from stopline.devices.doctor.host import Host

LEAST_FREE_MIB = 2048  # an engine, its timing cache, a release beside the one that runs
LARGEST = "sudo du -xh --max-depth 2 / | sort -h | tail; sudo apt clean"
SYNCHRONISED = "run/systemd/timesync/synchronized"


def upkeep_findings(host: Host) -> list[Finding]:
    """Disk and clock."""
    return [_disk(host), _clock(host)]


def _disk(host: Host) -> Finding:
    """`Filesystem 1024-blocks Used Available Capacity Mounted on`, as POSIX has it."""
    told = (host.answer("df", "-Pk", "/") or "").splitlines()
    cells = told[-1].split() if len(told) > 1 else []
    if len(cells) < 6 or not cells[3].isdigit():
        return unknown("disk", "disk", "df does not tell")
    free, whole = int(cells[3]) >> 10, int(cells[1]) >> 10
    line = f"{free} of {whole} MiB free on {cells[5]}"
    if free < LEAST_FREE_MIB:
        return Finding("disk", "disk", "warning", line, f"{LEAST_FREE_MIB} MiB", LARGEST)
    return ok("disk", "disk", line)


def _clock(host: Host) -> Finding:
    """Results carry a time that others compare with theirs."""
    if (host.root / SYNCHRONISED).exists():
        return ok("clock", "clock", "synchronised by systemd-timesyncd")
    told = host.answer("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if told == "yes":
        return ok("clock", "clock", "synchronised")
    if told == "no":
        found, command = "not synchronised", "sudo timedatectl set-ntp true"
        return Finding("clock", "clock", "warning", found, "synchronised by NTP or PTP", command)
    return unknown("clock", "clock", "nobody tells whether it is synchronised", "timedatectl")
