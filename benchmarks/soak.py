"""`stopline run` for minutes to days with everything on and everything failing now and then.

    python benchmarks/soak.py --minutes 30 --plot soak.png
    python benchmarks/soak.py --minutes 2 --plant     # must fail: 1 GiB an hour, and more

Two cameras, a simulated street and a real RTSP server that is killed every 40 s; rules with clips,
rotated JSON lines, metrics that are scraped, a page that is watched and left, a broker that is
restarted, and the rules read again every 15 s. Memory, descriptors and threads are sampled every
second; the first half of the time, or ten minutes, is warm-up, in which every buffer fills up once.
Exits 1 if one of them grows, if results ceased, or if SIGTERM does not end the run in order.

Needs `mosquitto` and, for the RTSP server, the system's Python with GStreamer's bindings; what is
absent is left out and said so.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from soaking.disturbances import Disturbances, Ports

from stopline.devices.growth import MOST_MIB, Growth, Sample, Verdict, growths, sample

LEAKING = Path(__file__).parent / "soaking" / "leaking.py"


@click.command()
@click.option("--minutes", default=5.0, type=click.FloatRange(1))
@click.option("--plant", is_flag=True, help="Leaks to be caught.")
@click.option("--most-mib", default=MOST_MIB, help=f"An hour, of memory [{MOST_MIB:g}].")
@click.option("--json", "json_path", type=click.Path(path_type=Path))
@click.option("--plot", type=click.Path(path_type=Path), help="Draw what was sampled.")
def main(
    minutes: float, plant: bool, most_mib: float, json_path: Path | None, plot: Path | None
) -> None:
    """Soak, then say what grew."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then too
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, ExitStack() as opened:
        work = Path(folder)
        ports = Ports.free()
        disturbances = opened.enter_context(Disturbances(work, ports))
        process = _started(work, ports, plant)
        try:
            samples = list(_sampled(process, disturbances, minutes * 60))
        finally:
            process.send_signal(signal.SIGTERM)
            exit_code = _waited(process)
        said = (work / "stderr").read_text()
    warm_up_s = min(minutes * 30, 600)
    grown = growths([each for each in samples if each.at_s >= warm_up_s], most_mib)
    report = _report(grown, samples, disturbances, exit_code)
    _print(report, grown, said)
    if json_path is not None:
        json_path.write_text(json.dumps(report | {"samples": samples}))
    if plot is not None:
        from soaking.plot import draw

        draw(samples, grown, warm_up_s, plot)
    sys.exit(0 if report["ok"] else 1)


def _started(work: Path, ports: Ports, plant: bool) -> "subprocess.Popen[bytes]":
    program = [str(LEAKING)] if plant else ["-m", "stopline"]
    rules = {
        "version": 1,
        "zones": {"all": {"points": [[0, 0], [1, 0], [1, 1], [0, 1]]}},
        "rules": [{"name": "anyone", "class": "person", "zone": "all", "held_s": 0.2}],
    }
    (work / "rules.json").write_text(json.dumps(rules))
    options = [
        # Parked: while it drives, the street that it has seen fills the simulator's own caches.
        *("--source", "sim://road?width=320&height=192&fps=4&density=3&speed=0&stall=20:3"),
        *("--source", f"rtsp://127.0.0.1:{ports.rtsp}/road"),
        *("--rules", str(work / "rules.json")),
        *("--clips", str(work / "clips"), "--clips-mib", "8"),
        *("--json", str(work / "out.jsonl"), "--json-mib", "1"),
        *("--metrics", str(ports.metrics), "--view", str(ports.view)),
        *("--mqtt", f"mqtt://127.0.0.1:{ports.mqtt}/soak"),
        *("--deadline-ms", "400", "--threads", "1", "--wait-for-cameras", "--quiet"),
    ]
    with (work / "stderr").open("wb") as stderr:
        command = [sys.executable, *program, "run", "road-nano", *options]
        return subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL)


def _sampled(
    process: "subprocess.Popen[bytes]", disturbances: Disturbances, seconds: float
) -> Iterator[Sample]:
    """Once a second, with a disturbance between where one is due."""
    began_s = time.monotonic()
    for second in track(range(round(seconds)), "soaking", console=Console(stderr=True)):
        time.sleep(max(0.0, began_s + second - time.monotonic()))
        if process.poll() is not None:
            return
        disturbances.at(second, process)
        yield sample(process.pid, time.monotonic() - began_s)


def _waited(process: "subprocess.Popen[bytes]") -> int | None:
    """None if it had to be killed."""
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def _report(
    grown: list[Growth], samples: list[Sample], disturbances: Disturbances, exit_code: int | None
) -> dict[str, Any]:
    steady = all(each.verdict is not Verdict.GROWS for each in grown)
    return {
        "ok": steady and exit_code == 0 and disturbances.went_on,
        "samples_n": len(samples),
        "exit_code": exit_code,
        "went_on": disturbances.went_on,
        "disturbances": disturbances.done,
        "absent": disturbances.absent,
        "growth": [
            {"quantity": each.quantity, **each.slope._asdict(), "verdict": each.verdict.value}
            for each in grown
        ],
    }


def _print(report: dict[str, Any], grown: list[Growth], said: str) -> None:
    console = Console()
    table = Table("quantity", "an hour", "95 % interval", "limit", "verdict", box=None)
    for each in grown:
        interval = f"{each.slope.low:+.2f} to {each.slope.high:+.2f}"
        table.add_row(
            each.quantity,
            f"{each.slope.per_hour:+.2f}",
            interval,
            f"{each.limit:.0f}",
            each.verdict.value,
        )
    console.print(table)
    done = ", ".join(f"{count} x {what}" for what, count in report["disturbances"].items())
    console.print(f"n={report['samples_n']} samples; {done}; exit code {report['exit_code']}")
    if report["absent"]:
        console.print(f"left out, as it is not here: {', '.join(report['absent'])}")
    if not report["went_on"]:
        console.print("results ceased")
    if said.strip():
        console.print(said.strip())


if __name__ == "__main__":
    main()
