"""Energy per frame, from what the power sensors say while idle and under load."""

from stopline.devices.latency.report import Energy
from stopline.devices.latency.sensors import total_w
from stopline.devices.latency.watch import Watch


def energy(
    watch: Watch, idle_ns: tuple[int, int], load_ns: tuple[int, int], frames: int
) -> Energy | None:
    """None without a sensor. Start and end of a time with nothing to do, and of `frames` frames."""
    idle, load = watch.between(*idle_ns), watch.between(*load_ns)
    load_w, idle_w = total_w(load.power_w), total_w(idle.power_w)
    if load_w is None:
        return None
    seconds = (load_ns[1] - load_ns[0]) / 1e9
    net_w = None if idle_w is None else load_w - idle_w
    return Energy(
        sensors=sorted(load.power_w),
        idle_w=idle_w,
        load_w=load_w,
        frames=frames,
        gross_mj_per_frame=_mj(load_w, seconds, frames),
        net_mj_per_frame=None if net_w is None else _mj(net_w, seconds, frames),
    )


def _mj(watts: float, seconds: float, frames: int) -> float | None:
    return 1000 * watts * seconds / frames if frames else None
