"""What sysfs tells, on a tree written as Linux documents it; what it does not tell is missing.

Real files in a folder, not a recorded board: their names and units are those of the kernel's
documentation that `sensors` names.
"""

import time
from pathlib import Path

import msgspec
import pytest

from stopline.devices.latency.conditions import conditions, memory
from stopline.devices.latency.energy import energy
from stopline.devices.latency.report import Window
from stopline.devices.latency.sensors import Sensors, total_w
from stopline.devices.latency.watch import Watch
from stopline.devices.latency.windows import Time, measured, windows

STAT = "cpu  100 0 100 1000 0 0 0 0 0 0\ncpu0 100 0 100 1000 0 0 0 0 0 0\n"
BOARD = {
    "proc/stat": STAT,
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano\0",
    "proc/meminfo": "MemTotal:        7990000 kB\n",
    "proc/self/status": "Name:\tx\nVmHWM:\t  307200 kB\nVmRSS:\t  204800 kB\n",
    "var/lib/nvpmodel/status": "pmode:0002",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1510400",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil",
    "sys/class/devfreq/17000000.gpu/cur_freq": "624750000",
    "sys/class/devfreq/17000000.gpu/governor": "nvhost_podgov",
    "sys/kernel/debug/bpmp/debug/clk/emc/rate": "2133000000",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "51250",
    "sys/class/hwmon/hwmon3/name": "ina3221",
    "sys/class/hwmon/hwmon3/in1_label": "VDD_IN",
    "sys/class/hwmon/hwmon3/in1_input": "5000",
    "sys/class/hwmon/hwmon3/curr1_input": "1200",
    "sys/class/hwmon/hwmon3/in2_label": "VDD_CPU_GPU_CV",
    "sys/class/hwmon/hwmon3/in2_input": "5000",
    "sys/class/hwmon/hwmon3/curr2_input": "400",
}
CPU_CLOCK = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
RAPL = "sys/class/powercap/intel-rapl:0"


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + ("" if content.endswith("\0") else "\n"))


@pytest.fixture
def board(tmp_path: Path) -> Path:
    write(tmp_path, BOARD)
    return tmp_path


def test_clocks_temperatures_and_rails_are_read_in_our_units(board: Path) -> None:
    read = Sensors(board).read()
    assert read.clocks_mhz == {"cpu0": 1510.4, "17000000.gpu": 624.75, "emc": 2133.0}
    assert read.temperatures_c == {"cpu-thermal": 51.25}
    assert read.power_w == {"VDD_IN": 6.0, "VDD_CPU_GPU_CV": 2.0}
    assert read.throttled is None


def test_the_rail_that_holds_all_others_is_the_total() -> None:
    assert total_w({"VDD_IN": 6.0, "VDD_CPU_GPU_CV": 2.0}) == 6.0
    assert total_w({"VDD_GPU_SOC": 6.0, "VDD_CPU_CV": 2.0}) == 8.0
    assert total_w({"package-0": 20.0, "core": 15.0, "dram": 2.0}) == 22.0
    assert total_w({}) is None


def test_what_a_machine_does_not_tell_is_missing_not_zero(tmp_path: Path) -> None:
    sensors = Sensors(tmp_path)
    read = sensors.read()
    assert (read.clocks_mhz, read.temperatures_c, read.power_w, read.busy) == ({}, {}, {}, None)
    about = conditions(read, None, tmp_path)
    assert about.sensors == {"clocks": [], "temperatures": [], "power": []}
    assert (about.board, about.power_mode, about.memory_mib, about.governors) == (
        None,
        None,
        None,
        [],
    )
    assert memory(tmp_path).peak is None
    with Watch(sensors, 0.01) as watch:
        assert energy(watch, (0, 1), (1, 2), 10) is None


def test_conditions_are_of_the_board(board: Path) -> None:
    about = conditions(Sensors(board).read(), None, board)
    assert (about.board, about.power_mode) == ("NVIDIA Jetson Orin Nano", "pmode:0002")
    assert about.governors == ["17000000.gpu: nvhost_podgov", "schedutil"]
    assert about.memory_mib == 7802
    assert memory(board).peak == 300
    assert memory(board).rss == 200


def seen(board: Path, during: dict[str, str]) -> tuple[list[Time], Watch]:
    """60 runs in 0.3 s, with those files written in the middle."""
    with Watch(Sensors(board), 0.02) as watch:
        times = []
        for nth in range(60):
            if nth == 30:
                write(board, during)
            time.sleep(0.005)
            times.append(Time(time.monotonic_ns(), 5.0))
        return times, watch


def test_a_window_in_which_nothing_moved_is_valid(board: Path) -> None:
    times, watch = seen(board, {})
    (window,) = windows("engine", times, watch, times[0].ended_ns)
    assert window.valid
    assert window.clocks_mhz["cpu0"] == 1510.4
    assert window.n == 60


@pytest.mark.parametrize(
    ("during", "why"),
    [
        ({CPU_CLOCK: "729600"}, "clock of cpu0 moved from 730 to 1510 MHz"),
        (
            {
                "sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
                "sys/class/thermal/cooling_device0/cur_state": "3",
            },
            "throttled: cpufreq-cpu0 at state 3",
        ),
    ],
)
def test_a_window_in_which_something_moved_is_not_valid(
    board: Path, during: dict[str, str], why: str
) -> None:
    write(board, {name: "0" for name in during if name.endswith("cur_state")})
    write(board, {name: text for name, text in during.items() if name.endswith("type")})
    times, watch = seen(board, during)
    (window,) = windows("engine", times, watch, times[0].ended_ns)
    assert (window.valid, window.why) == (False, why)


def test_times_of_windows_that_are_not_valid_are_left_out(board: Path) -> None:
    times, watch = seen(board, {})
    zero_ns = times[0].ended_ns - 10_000_000
    (window,) = windows("engine", times, watch, zero_ns)
    more = [one._replace(ended_ns=one.ended_ns + 2_000_000_000, ms=6.0) for one in times]
    seen_windows = [_invalid(window), *windows("engine", more, watch, zero_ns)]
    of = measured([*times, *more], seen_windows, zero_ns)
    assert (of.n, of.p50_ms) == (60, 6.0)


def _invalid(window: Window) -> Window:
    return msgspec.structs.replace(window, valid=False, why="clock of cpu0 moved")


def test_energy_is_told_above_idle(board: Path) -> None:
    with Watch(Sensors(board), 0.02) as watch:
        began_ns = time.monotonic_ns()
        time.sleep(0.2)
        idle_ns = (began_ns, time.monotonic_ns())
        write(board, {"sys/class/hwmon/hwmon3/curr1_input": "2400"})
        time.sleep(0.1)
        began_ns = time.monotonic_ns()
        time.sleep(0.2)
        load_ns = (began_ns, began_ns + 200_000_000)
    found = energy(watch, idle_ns, load_ns, frames=10)
    assert found is not None
    assert found.load_w == pytest.approx(12)
    assert found.idle_w == pytest.approx(6, rel=0.2)
    assert found.gross_mj_per_frame == pytest.approx(240)
    assert found.net_mj_per_frame == pytest.approx(120, rel=0.2)


def test_power_of_a_counter_is_its_rise_even_where_it_wraps(tmp_path: Path) -> None:
    most = 262_143_328_850
    write(tmp_path, {f"{RAPL}/name": "package-0", f"{RAPL}/max_energy_range_uj": str(most)})
    write(tmp_path, {f"{RAPL}/energy_uj": str(most - 1_000_000)})
    clock = iter([0, 1_000_000_000])
    sensors = Sensors(tmp_path, lambda: next(clock))
    watch = Watch(sensors, 60)
    write(tmp_path, {f"{RAPL}/energy_uj": "9000000"})
    watch._readings.append(sensors.read())
    watch.close()
    assert watch.between(0, 1_000_000_000).power_w == {"package-0": pytest.approx(10)}
