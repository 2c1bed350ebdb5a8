"""Which object is which from one frame to the next, whatever time lies between them.

Detections are paired with predictions in two steps, the certain ones first, so that an object
that is half hidden for a moment keeps its number (ByteTrack, arXiv 2110.06864). Three things are
of our own: the filter is given the real time between frames; patience is in seconds, not frames;
and both boxes grow by how uncertain the prediction is before they are compared, so that the gate
opens while nothing is seen (as the buffered IoU of C-BIoU, arXiv 2211.14317, with a measured
buffer).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes, Classes
from stopline.runtime.detections import Detections
from stopline.runtime.tracking.motion import Motion
from stopline.runtime.tracking.pairing import best_pairs


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Scores 0..1, times in seconds."""

    sure: float = 0.4  # detections from here on are paired first
    start: float = 0.5  # and from here on, what belongs to no track begins one
    overlap: float = 0.2  # IoU, of grown boxes, below which nothing is paired
    doubtful_overlap: float = 0.4  # the same for detections that are not sure
    grow: float = 1.0  # of standard deviations of the prediction
    most_grown: float = 0.5  # of the box's size
    forget_s: float = 1.5  # a track that is not seen for longer is over
    doubt_s: float = 0.5  # one that was not seen for longer takes no doubtful detection
    confirm_s: float = 0.1  # a track is told from this age on


@dataclass(slots=True)
class _Tracks:
    """All that is known, a row of each array for one track."""

    motion: Motion
    ids: NDArray[np.int64]
    classes: Classes
    first_ns: NDArray[np.int64]
    seen_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: NDArray[np.bool_]) -> "_Tracks":
        return _Tracks(
            self.motion[rows],
            self.ids[rows],
            self.classes[rows],
            self.first_ns[rows],
            self.seen_ns[rows],
        )


class Tracker:
    """One camera's tracks. `tracker(detections, captured_ns)` for every frame, in order."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._last_ns: int | None = None
        self._next_id = 1
        self._tracks = _none()

    def __call__(self, found: Detections, captured_ns: int) -> NDArray[np.int64]:
        """(n,) the track of each detection, 0 for one that belongs to none, or to none yet.

        Raises ValueError if time runs backwards.
        """
        self._advance(captured_ns)
        track_of = self._paired(found, captured_ns)  # (n,) rows of the tracks, -1 for none
        self._correct(found, track_of, captured_ns)
        self._begin(found, track_of, captured_ns)
        return self._told(track_of, captured_ns)

    def _advance(self, now_ns: int) -> None:
        if self._last_ns is not None and now_ns < self._last_ns:
            raise ValueError(f"a frame of {now_ns} ns after one of {self._last_ns} ns")
        elapsed_s = 0.0 if self._last_ns is None else (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        alive = now_ns - self._tracks.seen_ns <= self._settings.forget_s * 1e9
        self._tracks = self._tracks[alive]
        self._tracks.motion = self._tracks.motion.after(elapsed_s)

    def _paired(self, found: Detections, now_ns: int) -> NDArray[np.int64]:
        settings, tracks = self._settings, self._tracks
        track_of = np.full(len(found), -1, np.int64)
        if len(tracks) == 0 or len(found) == 0:
            return track_of
        likeness = self._likeness(found.boxes, found.classes)
        sure = found.scores >= settings.sure
        rows, columns = best_pairs(np.where(sure, likeness, 0), settings.overlap)
        track_of[columns] = rows
        lately = now_ns - tracks.seen_ns <= settings.doubt_s * 1e9
        lately[rows] = False
        left = np.where(lately[:, None] & ~sure, likeness, 0)
        rows, columns = best_pairs(left, settings.doubtful_overlap)
        track_of[columns] = rows
        return track_of

    def _likeness(self, boxes: Boxes, classes: Classes) -> NDArray[np.float64]:
        """(tracks, detections) IoU of boxes grown by the track's uncertainty, 0 across classes."""
        motion = self._tracks.motion
        settings = self._settings
        grown = np.minimum(motion.spread * settings.grow, motion.size * settings.most_grown)
        same = self._tracks.classes[:, None] == classes[None, :]
        return np.where(same, _grown_iou(motion.boxes, boxes.astype(np.float64), grown), 0)

    def _correct(self, found: Detections, track_of: NDArray[np.int64], now_ns: int) -> None:
        seen = np.flatnonzero(track_of >= 0)
        rows = track_of[seen]
        self._tracks.motion.correct(rows, found.boxes[seen])
        self._tracks.seen_ns[rows] = now_ns

    def _begin(self, found: Detections, track_of: NDArray[np.int64], now_ns: int) -> None:
        """Tracks of what is sure and belongs to none; `track_of` learns of them."""
        fresh = np.flatnonzero((track_of < 0) & (found.scores >= self._settings.start))
        if len(fresh) == 0:
            return
        tracks, count = self._tracks, len(fresh)
        track_of[fresh] = len(tracks) + np.arange(count)
        now = np.full(count, now_ns, np.int64)
        ids = self._next_id + np.arange(count)
        self._next_id += count
        self._tracks = _Tracks(
            tracks.motion + Motion.of(found.boxes[fresh]),
            np.concatenate((tracks.ids, ids)),
            np.concatenate((tracks.classes, found.classes[fresh])),
            np.concatenate((tracks.first_ns, now)),
            np.concatenate((tracks.seen_ns, now)),
        )

    def _told(self, track_of: NDArray[np.int64], now_ns: int) -> NDArray[np.int64]:
        old = now_ns - self._tracks.first_ns >= self._settings.confirm_s * 1e9
        # One more, which is no track's: -1 finds it.
        ids = np.append(np.where(old, self._tracks.ids, 0), 0)
        return np.asarray(ids[track_of], np.int64)


def _none() -> _Tracks:
    rows = np.empty(0, np.int64)
    return _Tracks(Motion.of(np.empty((0, 4))), rows, rows, rows, rows)


def _grown_iou(predicted: Boxes, found: Boxes, margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, 4) and (n, 4) xyxy → (m, n); both boxes grow by `margin` (m, 2) on every side."""
    (across, own_x, other_x), (down, own_y, other_y) = (
        _along(predicted[:, axis::2], found[:, axis::2], margin[:, axis : axis + 1])
        for axis in (0, 1)
    )
    shared = across * down
    iou: NDArray[np.float64] = shared / (own_x * own_y + other_x * other_y - shared)
    return iou


def _along(
    predicted: Boxes, found: Boxes, margin: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of intervals (m, 2) and (n, 2): what they share (m, n), their lengths (m, 1) and (m, n)."""
    start, end = predicted[:, :1], predicted[:, 1:]
    common = np.minimum(end, found[:, 1]) - np.maximum(start, found[:, 0])
    shared = np.maximum(common + 2 * margin, 0)
    return shared, end - start + 2 * margin, found[:, 1] - found[:, 0] + 2 * margin
