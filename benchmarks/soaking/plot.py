"""What a soak sampled, as a picture."""

from collections.abc import Sequence
from pathlib import Path

from stopline.devices.growth import Growth, Sample

LABELS = {"rss_mib": "memory, MiB", "fds": "descriptors", "threads": "threads"}


def draw(samples: Sequence[Sample], grown: Sequence[Growth], warm_up_s: float, path: Path) -> None:
    """One row for each quantity; the warm-up, which no slope is taken of, in grey."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, rows = pyplot.subplots(len(grown), 1, sharex=True, figsize=(8, 5), dpi=110)
    minutes = [each.at_s / 60 for each in samples]
    for axes, each in zip(rows, grown, strict=True):
        axes.plot(minutes, [getattr(one, each.quantity) for one in samples], linewidth=1)
        axes.axvspan(0, warm_up_s / 60, color="0.9")
        axes.set_ylabel(LABELS[each.quantity])
        axes.set_ylim(bottom=0)
        low, high = each.slope.low, each.slope.high
        axes.set_title(f"{low:+.1f} to {high:+.1f} an hour", loc="right", fontsize=9)
    rows[-1].set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
