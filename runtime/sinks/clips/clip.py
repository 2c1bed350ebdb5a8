"""One clip while it is being made, in a thread that may take its time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stopline.runtime.alerts.zones import Point
from stopline.runtime.sinks.clips.folder import ClipFolder
from stopline.runtime.sinks.clips.moment import Moment, picture
from stopline.runtime.sinks.webm import SUFFIX, WebmWriter


@dataclass(slots=True)
class Clip:
    """Used by the sink: when it ends, and of what it is."""

    id: str
    begins_s: float
    ends_s: float
    zones: list[Sequence[Point]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.id}{SUFFIX}"


class Film:
    """Used by the worker alone: the file of a clip, which exists once there is a picture."""

    def __init__(self, clip: Clip, folder: ClipFolder) -> None:
        self._clip = clip
        self._folder = folder
        self._writer: WebmWriter | None = None
        self._over = False

    def add(self, moment: Moment) -> None:
        """Draw and append; raises OSError once, and is over then."""
        if self._over or (self._writer is None and moment.result.frame is None):
            return  # a video begins with what was seen
        try:
            self._append(moment)
        except OSError:
            self._give_up()
            raise
        if not self._folder.fits(self._clip.id):
            self.close()

    def close(self) -> None:
        """Finish the video, if there is one; raises OSError if that failed, and it plays."""
        writer, self._writer, self._over = self._writer, None, True
        if writer is None:
            return
        writer.close()
        self._folder.holds(writer.path, self._clip.id)
        self._folder.written += 1

    def _append(self, moment: Moment) -> None:
        size_wh = None if self._writer is None else self._writer.size_wh
        image = picture(moment, size_wh, self._clip.zones)
        if self._writer is None:
            height, width = image.shape[:2]
            self._writer = WebmWriter(self._folder.path / self._clip.name, (width, height))
        self._writer.write(image, moment.at_s)
        self._folder.holds(self._writer.path, self._clip.id)

    def _give_up(self) -> None:
        """What was written plays; that it cannot be finished too was said already."""
        try:
            self.close()
        except OSError:
            self._over = True
