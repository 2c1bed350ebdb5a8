"""A sink that makes a video of every alert."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from stopline.runtime.alerts.rules import Rules
from stopline.runtime.atomic import write_atomically
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.events import Alert, Event
from stopline.runtime.frame import CameraState, Result
from stopline.runtime.sinks.clips.clip import Clip, Film
from stopline.runtime.sinks.clips.folder import RECORD, AlertRecord, ClipFolder
from stopline.runtime.sinks.clips.moment import Moment, Ring, moment_of
from stopline.runtime.sinks.clips.worker import Worker

OVERDUE_S = 1.0  # a frame that comes so long after the end of a clip does not belong to it


@dataclass(frozen=True, slots=True)
class ClipsSettings:
    """From `before_s` before an alert begins to `after_s` after it."""

    most_mib: float = 1024.0  # of clips in the folder
    before_s: float = 3.0
    after_s: float = 3.0
    longest_s: float = 60.0  # of one clip, which alerts that begin meanwhile make longer
    fps: float = 10.0  # at most; keeping a frame costs 1 to 2 ms, a clip 20 ms for each
    longest_side: int = 640  # pixels
    ring_mib: float = 16.0  # of memory for each camera
    close_within_s: float = 2.0  # then frames that wait are left out; a sink has 3 s in all


@dataclass(slots=True)
class _Camera:
    """What is kept of one camera, and the clip that is being made of it."""

    ring: Ring
    clip: Clip | None = None
    film: Film | None = None
    heard_ns: int = 0


class Clips(Closing):
    """Keeps the latest seconds of every camera, and when an alert begins writes them and the next.

    An alert that begins while a clip of its camera is being made belongs to that clip, and makes
    it longer. Drawing and writing are done in a thread of its own.
    """

    name = "clips"
    wants_images = True

    def __init__(
        self,
        folder: Path,
        settings: ClipsSettings | None = None,
        rules: Callable[[], Rules] | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        """Mend what a killed run left in the folder; raises OSError."""
        self.settings = settings or ClipsSettings()
        # It counts what was written, deleted for room, recovered and removed.
        self.folder = ClipFolder(folder, round(self.settings.most_mib * (1 << 20)))
        self._rules = rules
        self._clock = clock
        self._cameras: dict[str, _Camera] = {}
        self._records: dict[str, AlertRecord] = {}  # of alerts that have not ended
        self._worker = Worker("clips", self.settings.close_within_s)

    def write(self, result: Result) -> None:
        """Keep it, and put it into the clip that is being made; raises OSError for what failed."""
        camera = self._camera(result.camera)
        at_s = self._at_s(camera, result)
        self._finish_overdue()
        if camera.clip is not None and at_s > camera.clip.ends_s + OVERDUE_S:
            self._finish(camera)
        if self._wanted(camera, result, at_s):
            moment = moment_of(result, at_s, self.settings.longest_side)
            camera.ring.add(moment)
            camera.heard_ns = self._clock()
            self._film(camera, moment)
        silent = result.state in (CameraState.LOST, CameraState.ENDED)
        if camera.clip is not None and (silent or at_s >= camera.clip.ends_s):
            self._finish(camera)
        self._worker.check()

    def tell(self, event: Event) -> None:
        """Begin a clip, or note that its alert has ended; raises OSError for what failed."""
        if isinstance(event, Alert) and event.phase == "began":
            self._began(event)
        elif isinstance(event, Alert) and (record := self._records.pop(event.id, None)):
            self._worker.do(partial(self._keep, msgspec.structs.replace(record, ended=event)))
        self._worker.check()

    def close(self) -> None:
        """Finish what is being made, as long as it is now; raises OSError for what failed."""
        for camera in self._cameras.values():
            self._finish(camera)
        self._worker.close()

    def _camera(self, name: str) -> _Camera:
        if name not in self._cameras:
            settings = self.settings
            ring = Ring(settings.before_s + 1, round(settings.ring_mib * (1 << 20)))
            self._cameras[name] = _Camera(ring)
        return self._cameras[name]

    def _at_s(self, camera: _Camera, result: Result) -> float:
        """In the scene's time; where nothing is seen, as much later as it is told later."""
        if result.frame is not None:
            scene_ns = result.frame.captured_ns if result.scene_ns is None else result.scene_ns
            return scene_ns / 1e9
        return self._now_s(camera)

    def _now_s(self, camera: _Camera) -> float:
        newest = camera.ring.newest
        return 0.0 if newest is None else newest.at_s + (self._clock() - camera.heard_ns) / 1e9

    def _wanted(self, camera: _Camera, result: Result, at_s: float) -> bool:
        """Not more than so many a second, but every change of state; nothing without rules."""
        if camera.clip is None and self._rules is not None and not self._rules().rules:
            camera.ring.clear()
            return False
        newest = camera.ring.newest
        if newest is None or newest.result.state != result.state or at_s < newest.at_s:
            return True
        return at_s - newest.at_s > 0.9 / self.settings.fps

    def _began(self, alert: Alert) -> None:
        camera = self._camera(alert.camera)
        newest = camera.ring.newest
        now_s = 0.0 if newest is None else newest.at_s
        begins_s = now_s - self.settings.before_s
        joins = camera.clip is not None
        clip = camera.clip = camera.clip or Clip(alert.id, begins_s, now_s)
        clip.ends_s = min(clip.begins_s + self.settings.longest_s, now_s + self.settings.after_s)
        self._show_zone(clip, alert)
        record = self._records[alert.id] = AlertRecord(clip=clip.name, began=alert)
        self._worker.do(partial(self._keep, record))  # first, in case that nothing more can be
        if not joins:
            camera.film = Film(clip, self.folder)
            for moment in camera.ring.since(begins_s):
                self._film(camera, moment)

    def _show_zone(self, clip: Clip, alert: Alert) -> None:
        if self._rules is None or alert.zone is None:
            return
        zone = self._rules().zones.get(alert.zone)
        if zone is not None and zone.points not in clip.zones:
            clip.zones.append(zone.points)

    def _film(self, camera: _Camera, moment: Moment) -> None:
        if camera.film is not None:
            self._worker.do_if_time(partial(camera.film.add, moment))

    def _finish_overdue(self) -> None:
        """Those of cameras that have given nothing since."""
        for camera in self._cameras.values():
            if camera.clip is not None and self._now_s(camera) > camera.clip.ends_s + OVERDUE_S:
                self._finish(camera)

    def _finish(self, camera: _Camera) -> None:
        if camera.film is not None:
            self._worker.do(camera.film.close)
        camera.clip = camera.film = None

    def _keep(self, record: AlertRecord) -> None:
        assert record.clip is not None
        path = self.folder.path / f"{record.began.id}{RECORD}"
        write_atomically(path, msgspec.json.encode(record) + b"\n")
        self.folder.holds(path, Path(record.clip).stem)
        self.folder.fits(Path(record.clip).stem)
