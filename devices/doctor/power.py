"""Power mode, clocks and heat: why the same board may be half as fast as yesterday."""

import re

from stopline.devices.doctor.finding import Finding, ok, unknown
from stopline.devices.doctor.host import Host
from stopline.devices.doctor.identity import Identity, power_modes

GROUP = "power"
STATUS = "var/lib/nvpmodel/status"
CPU = "sys/devices/system/cpu/cpu0/cpufreq"
DEVFREQ = "sys/class/devfreq"
ZONES = "sys/class/thermal"
HOT_C = 85  # a board slows down from about 95 °C on
SPARING = ("powersave", "conservative")


def power_findings(host: Host, this: Identity) -> list[Finding]:
    """Of whichever of these the machine has."""
    found = [_mode(host, this), _gpu_clock(host), _governor(host), _heat(host)]
    return [one for one in found if one is not None]


def _mode(host: Host, this: Identity) -> Finding | None:
    modes = power_modes(host)
    if not modes:
        return unknown(GROUP, "power mode", "no /etc/nvpmodel.conf") if this.jetson else None
    current = _current(host)
    if current is None:
        return unknown(GROUP, "power mode", "nvpmodel does not tell", "sudo nvpmodel -q")
    name = modes.get(current, f"mode {current}")
    fastest = this.profile.fastest_mode if this.profile else None
    wanted = {mode: number for number, mode in modes.items()}.get(fastest or "")
    if wanted is None or wanted == current:
        return ok(GROUP, "power mode", f"{name} of {', '.join(modes.values())}")
    told = f"{fastest}, the fastest of this board"
    return Finding(GROUP, "power mode", "warning", name, told, f"sudo nvpmodel -m {wanted}")


def _current(host: Host) -> int | None:
    """`pmode:0002 fmode:quiet`, or the last line of what nvpmodel says."""
    found = re.search(r"pmode:(\d+)", host.text(STATUS) or "")
    if found is None:
        found = re.search(r"^(\d+)$", host.answer("nvpmodel", "-q") or "", re.MULTILINE)
    return int(found[1]) if found else None


def _gpu_clock(host: Host) -> Finding | None:
    """Clocks that follow the load are as they should be, but for measuring."""
    for name in host.names(DEVFREQ):
        if not name.endswith((".gpu", ".ga10b", ".gv11b", ".gp10b", "gpu-gpc-0")):
            continue
        low, high = (host.text(f"{DEVFREQ}/{name}/{end}_freq") for end in ("min", "max"))
        if low and high:
            mhz = int(low) // 10**6, int(high) // 10**6
            if mhz[0] == mhz[1]:
                return ok(GROUP, "GPU clock", f"fixed at {mhz[1]} MHz")
            told = f"{mhz[0]} to {mhz[1]} MHz, with the load; `sudo jetson_clocks` to measure"
            return ok(GROUP, "GPU clock", told)
    return None


def _governor(host: Host) -> Finding | None:
    """With a driver of the pstate kind "powersave" is the name of the normal."""
    governor, driver = host.text(f"{CPU}/scaling_governor"), host.text(f"{CPU}/scaling_driver")
    if governor is None:
        return None
    if governor in SPARING and "pstate" not in (driver or ""):
        command = (
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        )
        wanted = "schedutil, ondemand or performance"
        return Finding(GROUP, "CPU governor", "warning", governor, wanted, command)
    return ok(GROUP, "CPU governor", f"{governor} ({driver or 'driver unknown'})")


def _heat(host: Host) -> Finding | None:
    zones = {}
    for zone in host.names(ZONES):
        told = host.text(f"{ZONES}/{zone}/temp")
        if zone.startswith("thermal_zone") and told and told.lstrip("-").isdigit():
            zones[host.text(f"{ZONES}/{zone}/type") or zone] = int(told) / 1000
    if not zones:
        return None
    hottest = max(zones, key=lambda name: zones[name])
    told = f"{hottest} {zones[hottest]:.0f} °C"
    if zones[hottest] < HOT_C:
        return ok(GROUP, "temperature", told)
    command = "clean or fix the fan; `stopline run --degrade` keeps the age while it is hot"
    return Finding(GROUP, "temperature", "warning", told, f"below {HOT_C} °C", command)
