"""How often `stopline profile --against` is right: a planted slowdown, and the same thing twice.

    OMP_NUM_THREADS=1 python -m tests.devices.latency.verdicts --repeats 20 --seconds 10

The planted one does real work after each run of the graph: so many percent of the CPU time which
that took, on the same thread.
"""

import time
from collections import Counter
from functools import partial

import click
import cv2

from stopline.devices.latency.comparison import Comparison, compare_runs
from stopline.devices.latency.interleaved import in_turn
from stopline.devices.latency.replay import Kept, keep
from stopline.devices.latency.sessions import sessions
from tests.devices.latency.planted import opened, opens


def beside(share: float, seed: int, seconds: float, kept: Kept) -> Comparison:
    """Measured in turn, as --against does."""
    return in_turn(*opens(share, kept), seconds, seed).compared()


def apart(share: float, seed: int, seconds: float, kept: Kept) -> Comparison:
    """Measured one after the other, as two reports are that --compare is given."""
    found = [sessions(partial(opened, slowed), kept.images, seconds) for slowed in (0.0, share)]
    return compare_runs(*(one.p50_ms for one in found))


@click.command()
@click.option("--repeats", default=20)
@click.option("--seconds", default=10.0)
@click.option("--slowed", default=0.03)
@click.option("--reports", is_flag=True, help="One after the other, as --compare, not in turn.")
def main(repeats: int, seconds: float, slowed: float, reports: bool) -> None:
    """Print a line for each repeat, and how many were right."""
    cv2.setNumThreads(1)
    kept = keep("sim://road?width=640&height=360")
    right: Counter[str] = Counter()
    measure = apart if reports else beside
    for seed in range(repeats):
        for name, share, wanted in (("planted", slowed, "slower"), ("same", 0.0, "cannot tell")):
            began = time.monotonic()
            found = measure(share, seed, seconds, kept)
            right[name] += found.verdict.value == wanted
            low, high = found.interval or (float("nan"), float("nan"))
            click.echo(
                f"{seed:2} {name:8} {found.verdict.value:12} {found.ratio or float('nan'):.4f} "
                f"({low:.4f}..{high:.4f}) p {found.p_value} of {found.values} "
                f"in blocks of {found.block}, {time.monotonic() - began:.0f} s"
            )
    for name, count in right.items():
        click.echo(f"{name}: right in {count} of {repeats}")


if __name__ == "__main__":
    main()
