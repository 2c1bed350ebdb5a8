"""Which object is which from one frame to the next, whatever time lies between them.

Detections are paired with predictions in two steps, the certain ones first, so that an object
that is half hidden for a moment keeps its number (ByteTrack, arXiv 2110.06864). Three things are
of our own: the filter is given the real time between frames; patience is in seconds, not frames;
and both boxes grow by how uncertain the prediction is before they are compared, so that the gate
opens while nothing is seen (as the buffered IoU of C-BIoU, arXiv 2211.14317, with a measured
buffer).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stopline.runtime.arrays import Boxes, Classes, Scores
from stopline.runtime.detections import Detections
from stopline.runtime.tracking.overlap import grown_iou
from stopline.runtime.tracking.pairing import Rows, best_pairs
from stopline.runtime.tracking.published import best_first, picked
from stopline.runtime.tracking.table import Table


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Scores 0..1, times in seconds."""

    feed: float = 0.1  # it is to be fed detections from here on, though few of them are told
    sure: float = 0.4  # detections from here on are paired first
    start: float = 0.5  # and from here on, what belongs to no track begins one
    overlap: float = 0.2  # IoU, of grown boxes, below which nothing is paired
    doubtful_overlap: float = 0.4  # the same for detections that are not sure
    grow: float = 1.0  # of standard deviations of the prediction
    most_grown: float = 0.5  # of the box's size
    forget_s: float = 1.5  # a track that is not seen for longer is over
    doubt_s: float = 0.5  # one that was not seen for longer takes no doubtful detection
    confirm_s: float = 0.1  # a track is told from this age on
    class_s: float | None = None  # votes on a track's class fade in it; None: it never changes
    other_class: float = 0.3  # what an IoU across classes is worth, where they may change
    score_s: float | None = None  # scores of a track are averaged over it; None: as detected


class Tracker:
    """One camera's tracks. `tracker(detections, captured_ns)` for every frame, in order."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._last_ns: int | None = None
        self._next_id = 1
        self._tracks = Table.none()

    def __call__(self, found: Detections, captured_ns: int) -> NDArray[np.int64]:
        """(n,) the track of each detection, 0 for one that belongs to none, or to none yet.

        Raises ValueError if time runs backwards.
        """
        return self._ids(self._rows(found, captured_ns), captured_ns)

    def follow(self, found: Detections, captured_ns: int, least: NDArray[np.float32]) -> Detections:
        """What is to be told, with its tracks: all that reaches `least`, a number for each class.

        What has a track that once reached it is told below it too, with the score that it has: it
        is where it was expected, and so more often right than what is told without a track.
        """
        rows = self._rows(found, captured_ns)
        ids, table = self._ids(rows, captured_ns), self._tracks
        known = ids.nonzero()[0]
        found = Detections(found.boxes, found.scores, found.classes, found.names, ids)
        if self._smooths:
            found = self._smoothed(found, known, rows[known])
        least = least[found.classes]
        told = found.scores >= least
        told[known] |= table.best[rows[known]] >= least[known]
        return best_first(picked(found, told)) if self._smooths else picked(found, told)

    def _rows(self, found: Detections, captured_ns: int) -> NDArray[np.int64]:
        """(n,) rows of the tracks after this frame, -1 for a detection of none."""
        self._advance(captured_ns)
        track_of = self._paired(found, captured_ns)
        self._correct(found, track_of, captured_ns)
        self._begin(found, track_of, captured_ns)
        return track_of

    def _advance(self, now_ns: int) -> None:
        if self._last_ns is not None and now_ns < self._last_ns:
            raise ValueError(f"a frame of {now_ns} ns after one of {self._last_ns} ns")
        elapsed_s = 0.0 if self._last_ns is None else (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        alive = now_ns - self._tracks.seen_ns <= self._settings.forget_s * 1e9
        if not alive.all():
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
        if sure.all() or not lately.any():
            return track_of
        left = np.where(lately[:, None] & ~sure, likeness, 0)
        rows, columns = best_pairs(left, settings.doubtful_overlap)
        track_of[columns] = rows
        return track_of

    def _likeness(self, boxes: Boxes, classes: Classes) -> NDArray[np.float64]:
        """(tracks, detections) IoU of boxes grown by their uncertainty, less across classes."""
        motion, settings = self._tracks.motion, self._settings
        grown = np.minimum(motion.spread * settings.grow, motion.size * settings.most_grown)
        same = self._tracks.classes[:, None] == classes[None, :]
        iou = grown_iou(motion.boxes, boxes.astype(np.float64), grown)
        across = 0.0 if settings.class_s is None else iou * settings.other_class
        return np.where(same, iou, across)

    def _correct(self, found: Detections, track_of: NDArray[np.int64], now_ns: int) -> None:
        seen, tracks = (track_of >= 0).nonzero()[0], self._tracks
        if len(seen) == 0:
            return
        rows, scores = track_of[seen], found.scores[seen]
        tracks.motion.correct(rows, found.boxes[seen])
        tracks.best[rows] = np.maximum(tracks.best[rows], scores)
        if self._smooths:
            self._average(rows, found.classes[seen], scores, (now_ns - tracks.seen_ns[rows]) / 1e9)
        tracks.seen_ns[rows] = now_ns

    def _average(
        self, rows: Rows, classes: Classes, scores: Scores, since_s: NDArray[np.float64]
    ) -> None:
        """Of rows that were seen before so long ago: what their votes and scores are now."""
        tracks, settings = self._tracks, self._settings
        if settings.score_s is not None:
            weight = 1 - np.exp(-since_s / settings.score_s)
            tracks.scores[rows] += weight * (scores - tracks.scores[rows])
        if settings.class_s is not None:
            tracks.votes[rows] *= np.exp(-since_s / settings.class_s)[:, None]
            tracks.votes[rows, classes] += scores
            tracks.classes[rows] = tracks.votes[rows].argmax(axis=1)

    def _begin(self, found: Detections, track_of: NDArray[np.int64], now_ns: int) -> None:
        """Tracks of what is sure and belongs to none; `track_of` learns of them."""
        fresh = ((track_of < 0) & (found.scores >= self._settings.start)).nonzero()[0]
        if len(fresh) == 0:
            return
        track_of[fresh] = len(self._tracks) + np.arange(len(fresh))
        self._tracks += Table.begun(found, fresh, self._next_id, now_ns)
        self._next_id += len(fresh)

    def _ids(self, track_of: NDArray[np.int64], now_ns: int) -> NDArray[np.int64]:
        old = now_ns - self._tracks.first_ns >= self._settings.confirm_s * 1e9
        # One more, which is no track's: -1 finds it.
        ids = np.append(np.where(old, self._tracks.ids, 0), 0)
        return np.asarray(ids[track_of], np.int64)

    @property
    def _smooths(self) -> bool:
        return self._settings.class_s is not None or self._settings.score_s is not None

    def _smoothed(self, found: Detections, known: Rows, rows: Rows) -> Detections:
        """With classes and scores of the tracks, where they are to be."""
        settings, tracks = self._settings, self._tracks
        if settings.class_s is not None:
            found = replace(found, classes=_with(found.classes, known, tracks.classes[rows]))
        if settings.score_s is not None:
            found = replace(found, scores=_with(found.scores, known, tracks.scores[rows]))
        return found


def _with(values: NDArray[Any], places: Rows, others: NDArray[Any]) -> NDArray[Any]:
    changed: NDArray[Any] = values.copy()
    changed[places] = others
    return changed
