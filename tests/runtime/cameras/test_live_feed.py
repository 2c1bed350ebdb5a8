"""A live camera that fails is opened again, in time and without leaving anything behind."""

import threading
import time

import pytest

from stopline.runtime.cameras.camera import Camera, Source
from stopline.runtime.cameras.camera_state import Patience
from stopline.runtime.cameras.live_feed import LiveFeed, LiveSettings
from stopline.runtime.cameras.newest import News
from stopline.runtime.cameras.reconnect import Reconnect
from stopline.runtime.frame import CameraState
from tests.runtime.clips import Hanging, Ticking, until

MS = 1_000_000
PATIENCE = Patience(0.5, 1.5, 10.0)
EXACT = Reconnect(jitter=0.0)


class Hand:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def __call__(self) -> int:
        return self.now_ns


class Plugged:
    """A feed of cameras that the test hands out, one for each connection."""

    def __init__(self, *cameras: Camera | Exception, reconnect: Reconnect = EXACT) -> None:
        self.clock = Hand()
        self.left = list(cameras)
        source = Source("camera", True, self._open, reopens=True)
        settings = LiveSettings(PATIENCE, reconnect)
        self.feed = LiveFeed(source, News(), settings, self.clock)

    def _open(self) -> Camera:
        camera = self.left.pop(0)
        if isinstance(camera, Exception):
            raise camera
        return camera

    def forward(self, ms: int) -> None:
        self.clock.now_ns += ms * MS
        self.feed.tend(self.clock.now_ns)

    def see(self, camera: Ticking) -> int:
        """One frame of that camera; its index."""
        camera.tick(self.clock.now_ns)
        until(self.feed.ready)
        taken = self.feed.take()
        assert taken is not None
        return taken.frame.index

    def fail(self, camera: Ticking) -> None:
        """That camera's thread ends with an error, which the feed sees."""
        camera.end(OSError("unplugged"))
        until(camera.closed.is_set)
        until(lambda: not self.feed.hangs)
        self.feed.tend(self.clock.now_ns)


def test_indices_go_on_over_a_new_connection() -> None:
    first, second = Ticking(), Ticking()
    plugged = Plugged(first, second)
    assert [plugged.see(first), plugged.see(first)] == [0, 1]
    plugged.fail(first)
    plugged.forward(250)
    assert [plugged.see(second), plugged.see(second)] == [2, 3]
    assert plugged.feed.connections == 2
    assert str(plugged.feed.trouble) == "unplugged"
    assert plugged.feed.error is None
    second.end()


def test_waits_double_and_begin_anew_once_a_frame_came() -> None:
    refused = [OSError("refused") for _ in range(3)]
    first, second, third = Ticking(), Ticking(), Ticking()
    plugged = Plugged(first, *refused, second, third)
    plugged.see(first)
    plugged.fail(first)
    for wait_ms in (250, 500, 1000):
        plugged.forward(wait_ms - 1)
        assert len(plugged.left) + plugged.feed.connections == 6, "tried too early"
        tried = plugged.feed.connections
        plugged.forward(1)
        assert plugged.feed.connections == tried + 1
        until(lambda: not plugged.feed.hangs)
        plugged.forward(0)
    plugged.forward(1000)
    plugged.see(second)
    plugged.fail(second)
    plugged.forward(250)
    assert plugged.feed.connections == 6
    third.end()


def test_the_state_is_of_the_newest_frame_whatever_the_connection_does() -> None:
    first, second = Ticking(), Ticking()
    plugged = Plugged(first, second)
    plugged.see(first)
    plugged.fail(first)
    assert plugged.feed.state(plugged.clock()) is CameraState.LIVE
    plugged.forward(500)
    assert plugged.feed.state(plugged.clock()) is CameraState.STALE
    plugged.forward(1000)
    assert plugged.feed.state(plugged.clock()) is CameraState.LOST
    plugged.see(second)
    assert plugged.feed.state(plugged.clock()) is CameraState.LIVE
    second.end()


def test_a_frame_of_an_abandoned_connection_is_refused_and_counted_as_dropped() -> None:
    hung, second = Ticking(), Ticking()
    plugged = Plugged(hung, second)
    plugged.see(hung)
    plugged.forward(10_000)
    plugged.forward(250)
    assert plugged.feed.connections == 2
    hung.tick(plugged.clock())
    until(hung.closed.is_set)  # its frame was refused, so it closed its camera
    assert not plugged.feed.ready()
    second.tick(plugged.clock())
    until(plugged.feed.ready)
    taken = plugged.feed.take()
    assert taken is not None
    assert (taken.frame.index, taken.dropped) == (2, 1)
    second.end()


def test_a_refused_frame_that_no_other_follows_is_not_forgotten() -> None:
    hung, second = Ticking(), Ticking()
    plugged = Plugged(hung, second)
    plugged.see(hung)
    plugged.forward(10_000)
    hung.tick(plugged.clock())
    until(hung.closed.is_set)
    assert [plugged.feed.lost(), plugged.feed.lost()] == [1, 0]
    plugged.forward(250)
    assert plugged.see(second) == 2
    second.end()


def test_another_connection_is_tried_beside_one_that_says_nothing() -> None:
    first, slow, quick = Ticking(), Ticking(), Ticking()
    plugged = Plugged(first, slow, quick)
    plugged.see(first)
    plugged.fail(first)
    plugged.forward(250)
    plugged.forward(2000)
    assert plugged.feed.connections == 3
    assert plugged.see(slow) == 1, "the older one may yet win"
    quick.tick(plugged.clock())
    until(quick.closed.is_set)
    assert not plugged.feed.ready()
    slow.end()


def test_reads_that_hang_are_not_piled_up() -> None:
    first, more = Ticking(), [Hanging() for _ in range(9)]
    others = set(threading.enumerate())
    plugged = Plugged(first, *more, reconnect=Reconnect(jitter=0, most_hanging=3))
    plugged.see(first)
    plugged.fail(first)
    for _ in range(200):
        plugged.forward(500)
    assert plugged.feed.connections == 1 + 3
    until(lambda: len(set(threading.enumerate()) - others) == 3)  # the first one's is gone, or soon
    assert plugged.feed.error is None


@pytest.mark.parametrize(
    ("reconnect", "tries"),
    [(EXACT, 1), (Reconnect(jitter=0, from_start=True), 4)],
)
def test_a_camera_that_never_gave_a_frame_is_tried_again_only_if_told(
    reconnect: Reconnect, tries: int
) -> None:
    plugged = Plugged(*[OSError("no such host")] * 4, reconnect=reconnect)
    until(lambda: not plugged.feed.hangs)
    for _ in range(3):
        plugged.forward(0)
        plugged.forward(1000)
        until(lambda: not plugged.feed.hangs)
    assert plugged.feed.connections == tries
    assert (plugged.feed.error is not None) == (tries == 1)


def test_after_so_many_failures_in_a_row_it_is_lost_for_good() -> None:
    first = Ticking()
    plugged = Plugged(first, OSError("a"), OSError("b"), reconnect=Reconnect(2, jitter=0))
    plugged.see(first)
    plugged.fail(first)
    for _ in range(2):
        plugged.forward(1000)
        until(lambda: not plugged.feed.hangs)
        plugged.forward(0)
    assert str(plugged.feed.error) == "b"
    assert plugged.feed.state(plugged.clock()) is CameraState.LOST


def test_a_mistake_in_the_cameras_code_is_not_tried_again() -> None:
    first = Ticking()
    plugged = Plugged(first)
    plugged.see(first)
    first.end(ZeroDivisionError("a bug"))
    until(lambda: not plugged.feed.hangs)
    plugged.forward(0)
    assert isinstance(plugged.feed.error, ZeroDivisionError)


def test_jitter_spreads_the_waits_around_their_length() -> None:
    reconnect = Reconnect(first_s=1.0, most_s=8.0, jitter=0.25)
    assert [reconnect.wait_s(2, chance) for chance in (0.0, 0.5, 1.0)] == [1.5, 2.0, 2.5]
    assert reconnect.wait_s(99, 0.5) == 8.0


def test_closing_does_not_wait_for_a_read_that_hangs() -> None:
    plugged = Plugged(Hanging())
    started = time.monotonic()
    plugged.feed.stop()
    plugged.feed.close(started + 0.1)
    assert time.monotonic() - started < 1
    assert plugged.feed.hangs
