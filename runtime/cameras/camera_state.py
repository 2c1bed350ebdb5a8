"""What a live camera's silence means, by how long it has lasted."""

from dataclasses import dataclass

from stopline.runtime.frame import CameraState

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after a frame was captured the next one may take.

    In seconds, not frames: the road changes as fast before a camera that gives 10 a second.
    """

    stale_after_s: float = 0.5
    lost_after_s: float = 1.5
    give_up_after_s: float = 10.0  # then it is abandoned; also how long connecting may take

    def __post_init__(self) -> None:
        if not 0 < self.stale_after_s <= self.lost_after_s <= self.give_up_after_s:
            raise ValueError(f"{self}: wanted 0 < stale_after_s <= lost_after_s <= give_up_after_s")

    def at_rate(self, fps: float | None) -> "Patience":
        """More of it for a camera that says that its frames are far apart: two may be missed."""
        if not fps or 2 / fps <= self.stale_after_s:
            return self
        more = 2 / fps / self.stale_after_s
        return Patience(
            self.stale_after_s * more, self.lost_after_s * more, self.give_up_after_s * more
        )


def state_after(silence_ns: int | None, patience: Patience) -> CameraState:
    """Of a camera whose newest frame is `silence_ns` old; None if it never gave one."""
    if silence_ns is None:
        return CameraState.CONNECTING
    if silence_ns < patience.stale_after_s * SECOND_NS:
        return CameraState.LIVE
    if silence_ns < patience.lost_after_s * SECOND_NS:
        return CameraState.STALE
    return CameraState.LOST
