"""How many frames a second of one camera are looked at."""

from stopline.runtime.cameras.camera_state import SECOND_NS


class Pace:
    """Times on a grid, so that a camera of 30 frames a second gives 25 on average, and no burst."""

    def __init__(self) -> None:
        """As fast as they come."""
        self._period_ns = self._due_ns = 0

    def set(self, most_fps: float | None) -> None:
        """From now on; None is as fast as they come, and the same again changes nothing.

        Raises ValueError for a rate that is none.
        """
        if most_fps is not None and not most_fps > 0:
            raise ValueError(f"{most_fps} frames a second: wanted more than 0, or None for all")
        period_ns = 0 if most_fps is None else round(SECOND_NS / most_fps)
        if period_ns != self._period_ns:
            self._period_ns, self._due_ns = period_ns, 0

    def allows(self, captured_ns: int) -> bool:
        """Whether a frame of then may be looked at."""
        return captured_ns >= self._due_ns

    def looked(self, captured_ns: int) -> None:
        """One was: the next is due a period after this one was due, or after this one."""
        due_ns = self._due_ns + self._period_ns
        self._due_ns = due_ns if due_ns > captured_ns else captured_ns + self._period_ns
