"""A throttled board says so with its numbers; what has no sensor says nothing."""

from pathlib import Path

import pytest

from stopline.runtime.governor.heat import Heat
from tests.runtime.governor.boards import cooling, orin, pc, write, zone


def test_a_machine_without_sensors_says_nothing(tmp_path: Path) -> None:
    heat = Heat(tmp_path)
    assert heat.sensors == 0
    assert heat() is None


def test_a_cool_board_says_nothing_though_its_fan_runs(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    assert heat.sensors == 2 + 5 + 3
    assert heat() is None
    assert Heat(pc(tmp_path / "pc"))() is None


def test_a_zone_over_its_own_limit(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, {"class/thermal/thermal_zone1/temp": 99_500})
    assert heat() == "gpu-thermal at 99.5 °C, its passive limit of 99 °C"
    write(tmp_path, {"class/thermal/thermal_zone1/temp": 98_900})
    assert heat() is None


def test_the_highest_limit_passed_is_told(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, {"class/thermal/thermal_zone0/temp": 104_500})
    assert heat() == "cpu-thermal at 104.5 °C, its critical limit of 104 °C"


@pytest.mark.parametrize(
    ("nth", "told"),
    [
        (0, "cpufreq-cpu0 at state 2"),
        (3, "cpu-throttle-alert at state 2"),
        (5, "devfreq-17000000.gpu at state 2"),
    ],
)
def test_a_cooling_device_that_takes_speed(tmp_path: Path, nth: int, told: str) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, {f"class/thermal/cooling_device{nth}/cur_state": 2})
    assert heat() == told


def test_eight_slow_cores_are_one_reason(tmp_path: Path) -> None:
    for cpu in range(8):
        write(tmp_path, cooling(cpu, "Processor", cpu % 3))
    assert Heat(tmp_path)() == "Processor at state 2"


def test_a_core_that_throttled_since_it_was_last_asked(tmp_path: Path) -> None:
    heat = Heat(pc(tmp_path))
    write(tmp_path, {"devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": 10})
    assert heat() == "a core slowed down for its temperature 3 times since last asked"
    assert heat() is None


def test_a_supply_that_is_too_weak(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, {"class/hwmon/hwmon3/oc3_event_cnt": 820})
    assert heat() == "slowed down for its supply (OC3) 7 times since last asked"


def test_an_event_that_does_not_throttle_is_not_counted(tmp_path: Path) -> None:
    orin(tmp_path)
    write(tmp_path, {"class/hwmon/hwmon3/oc3_throt_en": 0})
    heat = Heat(tmp_path)
    write(tmp_path, {"class/hwmon/hwmon3/oc3_event_cnt": 820})
    assert heat() is None


def test_several_reasons_are_all_told(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, cooling(4, "gpu-throttle-alert", 1))
    write(tmp_path, {"class/thermal/thermal_zone1/temp": 99_000})
    assert heat() == (
        "gpu-throttle-alert at state 1; gpu-thermal at 99.0 °C, its passive limit of 99 °C"
    )


@pytest.mark.parametrize("text", ["", "n/a", "-274000"])
def test_a_sensor_that_cannot_be_read_is_no_reading(tmp_path: Path, text: str) -> None:
    heat = Heat(orin(tmp_path))
    write(tmp_path, {"class/thermal/thermal_zone1/temp": text})
    assert heat() is None


def test_a_sensor_that_vanishes_is_no_reading(tmp_path: Path) -> None:
    heat = Heat(orin(tmp_path))
    (tmp_path / "class/thermal/thermal_zone1/temp").unlink()
    (tmp_path / "class/hwmon/hwmon3/oc3_event_cnt").unlink()
    assert heat() is None
    write(tmp_path, {"class/hwmon/hwmon3/oc3_event_cnt": 900})  # how many meanwhile is unknown
    assert heat() is None


def test_a_zone_that_nobody_watches_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, zone(0, "board", 90_000, passive=80_000))
    write(tmp_path, {"class/thermal/thermal_zone0/mode": "disabled"})
    assert Heat(tmp_path)() is None
    write(tmp_path, {"class/thermal/thermal_zone0/mode": "enabled"})
    assert Heat(tmp_path)() == "board at 90.0 °C, its passive limit of 80 °C"


def test_this_machine_can_be_asked() -> None:
    assert Heat()() is None or Heat().sensors > 0
