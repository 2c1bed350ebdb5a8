"""What one camera sent is shown or counted, over all its connections."""

import time
from collections.abc import Iterator

from stopline.runtime.cameras.camera import Camera, Source
from stopline.runtime.cameras.live_feed import LiveFeed, LiveSettings
from stopline.runtime.cameras.newest import News
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.detections import Detections
from stopline.runtime.frame import Frame, Result
from stopline.runtime.served import Served
from tests.runtime.clips import Steady

NAMES = ("thing",)


class Failing(Steady):
    """A camera whose connection breaks after its last frame."""

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        raise OSError("unplugged")


def connected(connections: list[Failing]) -> Served:
    """To each in turn, until there are no more."""
    left: list[Camera] = list(connections)

    def opened() -> Camera:
        if not left:
            raise ZeroDivisionError  # ends it for good
        return left.pop(0)

    settings = LiveSettings(reconnect=Reconnect(first_s=0.01, most_s=0.01))
    source = Source("camera", True, opened, reopens=True)
    feed = LiveFeed(source, News(), settings, time.monotonic_ns)
    return Served(feed, None, deadline_ns=3_000_000)


def results_of(served: Served) -> Iterator[Result]:
    """Until it is over; at times it rests or is paced, and every second answer takes long."""
    turn, over = 0, False
    while not over:
        turn, over = turn + 1, served.feed.over
        served.resting = turn // 40 % 3 == 0
        served.pace.set(100 if turn // 40 % 3 == 1 else None)
        now_ns = time.monotonic_ns()
        served.feed.tend(now_ns)
        if (change := served.change(now_ns, NAMES)) is not None:
            yield change
        if served.ready() and (taken := served.take(time.monotonic_ns)) is not None:
            time.sleep(0.002 + 0.002 * (turn % 2))
            nothing, stages_ns = Detections.none(NAMES), dict(taken.stages_ns)
            answer = served.answer(taken.frame, nothing, stages_ns, time.monotonic_ns())
            if answer is not None:
                yield answer
        time.sleep(0.0005)


def test_over_many_connections_and_every_reason_to_drop_the_counts_add_up() -> None:
    connections = [Failing("camera", 400, 40 + n) for n in range(5)]
    served = connected(connections)
    results, drops = list(results_of(served)), served.drops
    sent = sum(camera.given for camera in connections)
    shown = [result.frame.index for result in results if result.frame]
    assert (served.feed.connections, sent) == (6, 210)
    assert len(shown) + sum(result.dropped for result in results) == sent
    assert (served.answers, drops.total) == (len(shown), sent - len(shown))
    assert sum(result.missed for result in results) == drops.missed + drops.late > 0
    assert min(len(shown), drops.replaced, drops.rested, drops.paced) > 0
    assert shown == sorted(set(shown))
    assert shown[-1] < sent
