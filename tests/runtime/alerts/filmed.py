"""Cameras whose pictures tell the time, and alerts to make clips of."""

from pathlib import Path

import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.events import Alert
from stopline.runtime.sinks.clips.clips import Clips, ClipsSettings
from tests.runtime.alerts.staged import Thing, seen, times

PATIENT_S = 60.0  # the machine may be busy
SHORT = ClipsSettings(before_s=1, after_s=1, close_within_s=PATIENT_S)
PERSON = Thing(7)


def grey(at_s: float, hw: tuple[int, int] = (90, 160)) -> Image:
    """An image whose brightness tells the time: 40 and 20 more each second, up to 10 s."""
    return np.full((*hw, 3), round(40 + 20 * at_s), np.uint8)


def alert(nth: int, phase: str = "began", camera: str = "front", at_s: float = 0) -> Alert:
    return Alert(
        at_ns=round(at_s * 1e9),
        utc="2026-11-24T12:00:00.000Z",
        id=f"20261124T{120000000 + nth:09}Z-somebody-{nth:06x}",
        phase="began" if phase == "began" else "ended",
        rule="somebody",
        camera=camera,
        zone="left",
        name="person",
        track=7,
        box=(0, 0, 1, 1),
        held_s=0.3,
    )


def feed(clips: Clips, start_s: float, end_s: float, camera: str = "front") -> None:
    for at_s in times(start_s, end_s):
        clips.write(seen(at_s, PERSON, camera=camera, image=grey(at_s)))


def videos(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.webm"))
