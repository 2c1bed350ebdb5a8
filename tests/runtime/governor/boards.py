"""What Linux shows of a board's heat, written as files: only what is named is there."""

from pathlib import Path


def write(root: Path, files: dict[str, str | int]) -> Path:
    """Files below `root`, which is the `/sys` of the board; a second time they change."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def zone(nth: int, name: str, at_mc: int, **trips: int) -> dict[str, str | int]:
    """A thermal zone, with trip points by kind; thousandths of a degree."""
    folder = f"class/thermal/thermal_zone{nth}"
    files: dict[str, str | int] = {f"{folder}/type": name, f"{folder}/temp": at_mc}
    for index, (kind, limit_mc) in enumerate(trips.items()):
        files |= {
            f"{folder}/trip_point_{index}_type": kind,
            f"{folder}/trip_point_{index}_temp": limit_mc,
        }
    return files


def cooling(nth: int, kind: str, state: int) -> dict[str, str | int]:
    """A cooling device."""
    folder = f"class/thermal/cooling_device{nth}"
    return {f"{folder}/type": kind, f"{folder}/cur_state": state}


def orin(root: Path) -> Path:
    """A cool Jetson Orin, by NVIDIA's developer guide; we have no dump of a real one."""
    files = zone(0, "cpu-thermal", 52_000, active=50_000, passive=99_000, critical=104_500)
    files |= zone(1, "gpu-thermal", 50_500, passive=99_000, critical=104_500)
    files |= zone(2, "tj-thermal", 52_000)
    files |= cooling(0, "cpufreq-cpu0", 0) | cooling(1, "cpufreq-cpu4", 0)
    files |= cooling(2, "pwm-fan", 3) | cooling(3, "cpu-throttle-alert", 0)
    files |= cooling(4, "gpu-throttle-alert", 0) | cooling(5, "devfreq-17000000.gpu", 0)
    files |= {"class/hwmon/hwmon0/name": "ina3221", "class/hwmon/hwmon3/name": "soctherm_oc"}
    for nth, count in ((1, 0), (2, 8), (3, 813)):
        files[f"class/hwmon/hwmon3/oc{nth}_event_cnt"] = count
        files[f"class/hwmon/hwmon3/oc{nth}_throt_en"] = 1
    return write(root, files)


def pc(root: Path) -> Path:
    """A cool Intel PC: limits that nobody set, a powerclamp at rest, an offset that is no state."""
    files = zone(0, "acpitz", 27_800, critical=119_000)
    files |= zone(1, "x86_pkg_temp", 61_000, passive=0)
    files |= cooling(0, "Processor", 0) | cooling(1, "intel_powerclamp", -1)
    files |= cooling(2, "TCC Offset", 5) | cooling(3, "Fan", 1)
    for cpu in range(2):
        folder = f"devices/system/cpu/cpu{cpu}/thermal_throttle"
        files |= {f"{folder}/core_throttle_count": 7, f"{folder}/package_throttle_count": 90}
    return write(root, files)
