"""How a run ends: what it came to, and with which exit code."""

import signal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stopline.runtime.detector import Detector
    from stopline.runtime.pipeline import CameraReport
    from stopline.runtime.sinks.tally import Tally

COMPLETE = ("json", "record")  # files that are promised to hold all there was
ON_DISK = (*COMPLETE, "clips")


def print_summary(
    detector: "Detector", tally: "Tally", cameras: "list[CameraReport]", err: bool
) -> None:
    """To standard output, or standard error."""
    from stopline.runtime.sinks.tally import summary_lines, trouble_lines

    runs = f"{detector.bundle.manifest.name} {detector.precision} on {detector.backend}"
    click.echo(f"{runs} ({detector.choice.why})", err=err)
    for camera in cameras:
        for line in summary_lines(camera.name, tally):
            click.echo(line, err=err)
    for line in trouble_lines(tally):
        click.echo(line, err=err)


def exit_code(cameras: "list[CameraReport]", tally: "Tally", stopped_by: int | None) -> int:
    """0 if nothing failed, nothing written was lost and, but for live cameras, nothing cut off."""
    failed = [failure for camera in cameras if (failure := _failure(camera))]
    failed += [
        f"{name}: {trouble.lost} not written, {trouble.error or 'before it worked again'}"
        for name, trouble in tally.troubles.items()
        if name in COMPLETE or (name in ON_DISK and trouble.error)
    ]
    if failed:
        click.echo(f"stopline: {'; '.join(failed)}", err=True)
        return 1
    unfinished = any(not camera.live and camera.state != "ENDED" for camera in cameras)
    if stopped_by is not None and unfinished:
        click.echo(f"stopline: stopped by {signal.Signals(stopped_by).name}", err=True)
        return 128 + stopped_by
    return 0


def _failure(camera: "CameraReport") -> str | None:
    if camera.error is not None:
        return str(camera.error)
    if camera.live and not camera.resting and camera.state in ("CONNECTING", "LOST"):
        why = f": {camera.trouble}" if camera.trouble else ""
        return f"camera {camera.name!r} was {camera.state.value} when the run ended{why}"
    return None
