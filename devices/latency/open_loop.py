"""Open-loop load: frames come at the camera's rate, whether or not we are ready.

Only so does it show what a vehicle gets: how old an answer is when it is there, and how many
frames were never answered in time. A rate of answers says nothing of either.
"""

from collections.abc import Sequence
from typing import NamedTuple

from stopline.devices.latency.closed_loop import Answer, answers_of
from stopline.devices.latency.replay import AtRate, Kept
from stopline.runtime.cameras.camera import SourceName
from stopline.runtime.pipeline import Detects, Pipeline, PipelineSettings
from stopline.runtime.sinks.sink import Sink


class Offer(NamedTuple):
    """Frames from memory at a rate of ours, or a source that is live, or a file played as one."""

    source: Kept | SourceName
    fps: float | None  # of `Kept`
    seconds: float


class Deadline(NamedTuple):
    """`enforced`: the pipeline knows it, and does not publish what is late."""

    ms: float
    enforced: bool


class Served(NamedTuple):
    """What came of the frames that were offered."""

    answers: list[Answer]  # with a frame, in their order
    sent: int
    dropped: int
    late: int
    seconds: float

    def miss_ratio(self, deadline_ms: float) -> float | None:
        """None where nothing was sent."""
        if not self.sent:
            return None
        timely = sum((one.result.age_ms or 0.0) <= deadline_ms for one in self.answers)
        return 1 - timely / self.sent


def serve(detector: Detects, offer: Offer, deadline: Deadline, sinks: Sequence[Sink]) -> Served:
    """Answer what is offered until it is over; nothing of it is left uncounted."""
    settings = PipelineSettings(
        realtime=True, deadline_s=deadline.ms / 1000 if deadline.enforced else None
    )
    limit_s = offer.seconds
    if isinstance(offer.source, Kept):
        assert offer.fps is not None
        count = max(1, round(offer.seconds * offer.fps))
        pipeline = Pipeline(detector, AtRate(offer.source, offer.fps, count), settings=settings)
        limit_s = offer.seconds * 4 + 10  # it ends by itself
    else:
        pipeline = Pipeline(detector, offer.source, settings=settings)
    every = list(answers_of(pipeline, sinks, limit_s))
    return _served(every, deadline)


def _served(every: Sequence[Answer], deadline: Deadline) -> Served:
    answers = [one for one in every if one.result.frame is not None]
    dropped = sum(one.result.dropped for one in every)
    late = sum(one.result.missed for one in every)
    late += sum((one.result.age_ms or 0.0) > deadline.ms for one in answers)
    lasted_s = (answers[-1].at_ns - answers[0].at_ns) / 1e9 if len(answers) > 1 else 0.0
    return Served(answers, len(answers) + dropped, dropped, late, lasted_s)
